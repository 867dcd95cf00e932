"""Every route of the console, under `/console`."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from litestar import Response, Router, get
from litestar.di import Provide
from litestar.exceptions import HTTPException

from gateway.console import (
    entry_pages,
    flow_pages,
    identity_pages,
    migration_pages,
    operator_pages,
    registration_pages,
)
from gateway.console.errors import PageError
from gateway.console.faults import page_of_answer, page_of_error, page_of_framework
from gateway.console.site import Site
from gateway.console.visit import AnyRequest, Visit, begin_visit
from gateway.own_router import OwnRouter

_STYLE: Final = (files("gateway.console") / "static" / "style.css").read_bytes()
_KEPT: Final = {"Cache-Control": "public, max-age=300"}


@get("/style.css", include_in_schema=False, sync_to_thread=False)
def get_style() -> Response[bytes]:
    """Return the style of every page."""
    return Response(_STYLE, media_type="text/css; charset=utf-8", headers=_KEPT)


def console_routes(site: Site, judge: Callable[[AnyRequest, Exception], Response[Any]]) -> Router:
    """
    Return the console over what it is handed.

    Args:
        judge: The API's answer to what nobody expected, which it notes; people get a page with its status.
    """

    def page_of_fault(request: AnyRequest, error: Exception) -> Response[str]:
        return page_of_answer(request, judge(request, error))

    async def provide_visit(request: AnyRequest) -> Visit:
        return await begin_visit(site, request)

    return OwnRouter(
        "/console",
        route_handlers=[
            get_style,
            entry_pages.get_home,
            entry_pages.get_invitation,
            entry_pages.accept_invitation,
            entry_pages.get_enrolment,
            entry_pages.enrol,
            entry_pages.get_sign_in,
            entry_pages.sign_in,
            entry_pages.get_second_factor,
            entry_pages.take_second_factor,
            entry_pages.sign_out,
            identity_pages.begin_identity,
            identity_pages.end_identity,
            flow_pages.get_checklist,
            flow_pages.get_question,
            flow_pages.answer_question,
            flow_pages.get_test,
            flow_pages.send_test,
            flow_pages.act,
            registration_pages.get_registrations,
            registration_pages.open_registration,
            registration_pages.get_registration,
            registration_pages.fill_registration,
            registration_pages.confirm_cost,
            registration_pages.begin_version,
            registration_pages.review_registration,
            operator_pages.get_operator_sign_in,
            operator_pages.sign_operator_in,
            operator_pages.list_onboardings,
            operator_pages.find_tenant,
            operator_pages.get_tenant,
            operator_pages.get_provisioning,
            migration_pages.get_migration,
            migration_pages.send_files,
            migration_pages.send_shares,
            operator_pages.judge_tenant,
            operator_pages.remove_person,
            operator_pages.get_inbox,
            operator_pages.resolve_task,
        ],
        dependencies={"visit": Provide(provide_visit)},
        exception_handlers={
            PageError: page_of_error,
            HTTPException: page_of_framework,
            Exception: page_of_fault,
        },
    )
