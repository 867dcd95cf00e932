"""Every route of the web process, in its place."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from gateway.api.admin import api_keys as admin_api_keys
from gateway.api.admin import aws_accounts, budgets, overview, provision, quarantine, quotas, routing, tenants
from gateway.api.admin import credits as admin_credits
from gateway.api.admin import senders as senders_desk
from gateway.api.admin import templates as admin_templates
from gateway.api.auth import operator_gate, tenant_gate
from gateway.api.desk import Desk
from gateway.api.docs import Library, docs_folder, docs_routes
from gateway.api.health import get_health, get_metrics, get_readiness
from gateway.api.ingest.sns import receive_sns
from gateway.api.openapi import OPERATOR_KEY, TENANT_KEY
from gateway.api.v1 import (
    api_keys,
    audit,
    batches,
    events,
    messages,
    opt_outs,
    sender_gates,
    senders,
    templates,
    webhook_deliveries,
    webhook_endpoints,
)
from gateway.api.v1 import credits as tenant_credits

TENANT_ROUTES: tuple[HTTPRouteHandler, ...] = (
    messages.send_message,
    messages.estimate_message,
    messages.explain_message,
    messages.list_messages,
    messages.get_message,
    messages.list_message_events,
    messages.cancel_message,
    batches.send_batch,
    events.list_events,
    templates.list_template_library,
    templates.list_templates,
    templates.create_template,
    templates.get_template,
    templates.list_template_versions,
    templates.get_template_version,
    templates.get_template_changes,
    templates.edit_template,
    templates.submit_template,
    templates.retire_template_version,
    templates.restore_template_version,
    webhook_endpoints.list_webhook_endpoints,
    webhook_endpoints.create_webhook_endpoint,
    webhook_endpoints.get_webhook_endpoint,
    webhook_endpoints.update_webhook_endpoint,
    webhook_endpoints.delete_webhook_endpoint,
    webhook_endpoints.rotate_webhook_secret,
    webhook_deliveries.list_deliveries,
    webhook_deliveries.test_webhook_endpoint,
    webhook_deliveries.retry_delivery,
    opt_outs.list_opt_outs,
    opt_outs.put_opt_out,
    opt_outs.delete_opt_out,
    opt_outs.list_numbers,
    opt_outs.put_number,
    opt_outs.delete_number,
    senders.list_senders,
    senders.get_sender,
    sender_gates.get_sender_gates,
    senders.list_pools,
    senders.get_pool,
    senders.list_configuration_sets,
    tenant_credits.get_credits,
    tenant_credits.list_ledger,
    api_keys.list_api_keys,
    api_keys.create_api_key,
    api_keys.revoke_api_key,
    audit.list_audit,
)

OPERATOR_ROUTES: tuple[HTTPRouteHandler, ...] = (
    tenants.create_tenant,
    tenants.list_tenants,
    tenants.get_tenant,
    tenants.update_tenant,
    tenants.suspend_tenant,
    tenants.resume_tenant,
    tenants.close_tenant,
    provision.provision_tenant,
    provision.list_tenant_senders,
    admin_api_keys.list_tenant_api_keys,
    admin_api_keys.create_tenant_api_key,
    admin_api_keys.revoke_tenant_api_key,
    admin_credits.get_tenant_credits,
    admin_credits.list_tenant_ledger,
    admin_credits.top_up_credits,
    admin_credits.adjust_credits,
    budgets.get_tenant_budgets,
    budgets.put_tenant_budgets,
    budgets.get_platform_budgets,
    budgets.put_platform_budgets,
    admin_templates.list_pending_templates,
    admin_templates.approve_template,
    admin_templates.reject_template,
    admin_templates.retire_template,
    admin_templates.restore_template,
    senders_desk.put_tenant_sender,
    senders_desk.swap_tenant_sender,
    senders_desk.disable_tenant_sender,
    senders_desk.enable_tenant_sender,
    routing.get_tenant_routes,
    routing.put_tenant_routes,
    routing.get_routes_health,
    routing.disable_route,
    routing.enable_route,
    routing.get_redundancy,
    aws_accounts.list_aws_accounts,
    aws_accounts.put_aws_account,
    aws_accounts.check_aws_account,
    overview.list_tenant_audit,
    overview.get_summary,
    quarantine.list_quarantined_messages,
    quotas.set_sender_quota,
    quotas.request_mps_increase,
    quotas.list_mps_increases,
    quotas.approve_mps_increase,
    quotas.deny_mps_increase,
)


def all_routes(desk: Desk) -> list[Router | HTTPRouteHandler]:
    """Return the routers with their gates, and the public routes."""
    return [
        Router(
            "/v1",
            route_handlers=TENANT_ROUTES,
            before_request=tenant_gate(desk.keyring),
            security=[{TENANT_KEY: []}],
            tags=["tenant"],
        ),
        Router(
            "/v1/admin",
            route_handlers=OPERATOR_ROUTES,
            before_request=operator_gate(desk.services.settings.operator_key),
            security=[{OPERATOR_KEY: []}],
            tags=["operator"],
        ),
        Router("/v1/ingest", route_handlers=[receive_sns], tags=["aws"]),
        get_health,
        get_readiness,
        get_metrics,
        *docs_routes(Library(docs_folder())),
    ]
