"""For machines that watch: does it live, is it ready, how is it doing."""

import hmac
import os

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from psycopg_pool import PoolTimeout

from chatproject import environment
from chatproject.server.drain import draining

# A migrated database stays migrated while this code runs, so that the slow look is taken until then only.
_migrated = False


@csrf_exempt
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process lives."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when this process can serve; 503 with the name of the part that cannot."""
    failing = _failing_part()
    if failing is None:
        return JsonResponse({"status": "ready"})
    return JsonResponse(
        {"status": "unavailable", "failing": failing}, status=503, headers={"Retry-After": "2"}
    )


def _failing_part() -> str | None:
    if draining():
        return "draining"
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT 1")
        return None if _is_migrated() else "migrations"
    except (Error, PoolTimeout):
        return "database"


def _is_migrated() -> bool:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


@csrf_exempt
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, summed over the processes, for whoever holds METRICS_TOKEN; without one it is off."""
    token = environment.text("METRICS_TOKEN", "")
    if not token:
        return HttpResponse(status=404)
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
