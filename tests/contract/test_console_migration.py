"""The operator's migration page: files in, a plan, one button, and shares; without a script."""


async def test_a_plan_is_looked_at_and_applied_by_one_button(desk, operator, customer) -> None:
    """What a file held is on the page, so that nobody has to choose it again."""
    path = f"/console/operator/tenants/{customer.id}/migration"
    await desk.open(path)
    volumes = "country,messages_per_month\nUS,5000\nZZ,1\n"
    given = {"token": desk.token(), "provider": "Other <b>Telecom", "act": "plan"}
    chosen = {"volumes-file": ("volumes.csv", volumes, "text/csv")}
    planned = await desk.browser.post(f"{path}/files", data=given, files=chosen)
    assert planned.status_code == 200, planned.text
    assert "Nothing was written" in planned.text
    assert "AWS sends to no country with this code" in planned.text
    assert "<b>Telecom" not in planned.text
    home = f"/v1/admin/tenants/{customer.id}/migration"
    assert (await operator.get(home)).json()["countries"] == []
    given = {"token": desk.token(), "provider": "Other", "volumes": volumes, "act": "apply"}
    applied = await desk.browser.post(f"{path}/files", data=given, files={"numbers-file": ("", b"")})
    assert "Applied." in applied.text, applied.text
    (us,) = (await operator.get(home)).json()["countries"]
    assert (us["country"], us["volume"]["messages_per_month"]) == ("US", 5000)
    await desk.open(path)
    refused = await desk.send_fields(f"{path}/shares", {"share-US": "50"})
    assert (refused.status_code, "not live yet" in refused.text) == (409, True)
    assert 'name="share-US" value="50"' in refused.text, "what was written stands there still"
    assert (await desk.send_fields(f"{path}/shares", {"share-US": "x"})).status_code == 422
    assert (await desk.send_fields(f"{path}/shares", {"share-US": "0"})).status_code == 303


async def test_a_file_that_is_not_utf_8_is_named_and_not_guessed_at(desk, customer) -> None:
    """A spreadsheet's own CSV would bring other letters into texts that are sent for years."""
    path = f"/console/operator/tenants/{customer.id}/migration"
    await desk.open(path)
    templates = "name,type,body\ncode,otp,Für Sie: {code}\n".encode("cp1252")
    given = {"token": desk.token(), "provider": "Other", "volumes": "country\nUS\n", "act": "plan"}
    chosen = {"templates-file": ("templates.csv", templates, "text/csv")}
    refused = await desk.browser.post(f"{path}/files", data=given, files=chosen)
    assert (refused.status_code, "not UTF-8" in refused.text) == (422, True), refused.text
    assert 'value="Other"' in refused.text


async def test_only_the_operator_and_its_own_forms_are_served(desk, world, customer) -> None:
    """No token, no key: nothing is taken."""
    path = f"/console/operator/tenants/{customer.id}/migration"
    await desk.open(path)
    files = {"numbers-file": ("a.csv", b"x")}
    forged = await desk.browser.post(f"{path}/files", data={"provider": "x"}, files=files)
    assert forged.status_code == 403
    async with world.client() as stranger:
        answer = await stranger.get(path, follow_redirects=False)
    assert answer.status_code == 303
