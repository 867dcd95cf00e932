import asyncio
from tests.harness.numbers import us_number
from tests.harness.waiting import until
async def test_x(stack):
    for _ in range(3):
        customer = await stack.customer(plan={"country_mps": {"US": 10}})
        numbers = [us_number() for _ in range(36)]
        await asyncio.gather(*(customer.send(to=n, body="x") for n in numbers))
        async def all_carried():
            found = [e for e in await stack.carried() if e["destination"] in set(numbers)]
            return found if len(found) == 36 else []
        c = await until(all_carried)
        st=[e["accepted_at"] for e in c]
        print("GAPS", [round(b-a) for a,b in zip(st,st[1:])], round(st[-1]-st[0]))
