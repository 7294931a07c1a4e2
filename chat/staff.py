"""The staff's site: the admin with the desk as its first page."""

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path

from accounts.staff import StaffSite


class DeskSite(StaffSite):
    """Django admin whose index shows what waits, and with pages that belong to no model."""

    index_title = "The desk"
    # Lists need the width; the desk's own links stand in the header of every page.
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from chat.admin import news, rights

        own = [
            path("desk/news/", self.admin_view(news.news), name="desk_news"),
            path("desk/rights/", self.admin_view(rights.rights), name="desk_rights"),
        ]
        return [*own, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """What waits, the last two weeks, and all lists."""
        from chat.admin.charting import chart
        from chat.admin.numbers import numbers

        own = {"numbers": numbers(request), "chart": chart(request)}
        return super().index(request, own | (extra_context or {}))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page of the admin has: the way to the lists that are needed most."""
        from chat.admin.numbers import links

        has_desk = self.has_permission(request)
        return {**super().each_context(request), "desk_links": links(request) if has_desk else []}
