"""Who may do what at REST and on the socket: the one table.

A row for every operation and every command, a column for every sort of caller. In private rooms whoever is
outside is told what they would be told of a room that does not exist. ``tests/doors/test_authorisation.py``
asks all of it, and fails where an operation has no row or a row no operation.

- guest: has joined the public room; no guest is in the private one.
- elsewhere: moderates another room, and is nobody in this one.
- staff: of the group Moderators, which does not look into private rooms; in no room.
- deactivated: was a member. REST is shown the token from before, ``hello`` a ticket from before; the other
  commands come from a socket with the old session cookie, which is that of a visitor now.
"""

from typing import Any

CALLERS = (
    "anonymous", "guest", "outsider", "member", "muted", "elsewhere", "moderator", "owner", "staff",
    "deactivated",
)  # fmt: skip

# The rows are ``method path`` with names of things of the room in braces, and where one operation has several
# rows what is special about this one in brackets. ``message`` is a bystander's, ``own`` the member's.

# fmt: off
ANYWHERE = {
    #                                                           ano gue out mem mut els mod own sta dea
    "POST   guests":                                          "201 201 201 201 201 201 201 201 201 201",
    "POST   auth/token":                                      "401 401 200 200 200 200 200 200 200 401",
    "POST   auth/token/refresh":                              "401 200 200 200 200 200 200 200 200 401",
    "POST   auth/token/revoke":                               "204 204 204 204 204 204 204 204 204 204",
    "GET    me":                                              "401 200 200 200 200 200 200 200 200 401",
    "PATCH  me":                                              "401 200 200 200 200 200 200 200 200 401",
    "GET    me/notices":                                      "401 200 200 200 200 200 200 200 200 401",
    "POST   me/notices/seen":                                 "401 204 204 204 204 204 204 204 204 401",
    "GET    users/{bystander}":                               "401 200 200 200 200 200 200 200 200 401",
    "POST   users/{bystander}/report":                        "401 201 201 201 201 201 201 201 201 401",
    "POST   realtime/tickets":                                "401 201 201 201 201 201 201 201 201 401",
    "GET    rooms":                                           "200 200 200 200 200 200 200 200 200 401",
    "POST   rooms":                                           "401 403 201 201 201 201 201 201 201 401",
    "GET    webhooks":                                        "401 200 200 200 200 200 200 200 200 401",
    "GET    moderation/held":                                 "401 200 200 200 200 200 200 200 200 401",
    "GET    moderation/reports":                              "401 200 200 200 200 200 200 200 200 401",
    "GET    moderation/sanctions":                            "401 200 200 200 200 200 200 200 200 401",
    "POST   moderation/sanctions (everywhere)":               "401 403 403 403 403 403 403 403 201 401",
    "POST   moderation/clean-ups (everywhere)":               "401 403 403 403 403 403 403 403 201 401",
    "GET    moderation/actions":                              "401 200 200 200 200 200 200 200 200 401",
    "GET    schema":                                          "200 200 200 200 200 200 200 200 200 401",
    "GET    asyncapi":                                        "200 200 200 200 200 200 200 200 200 401",
    "GET    docs":                                            "200 200 200 200 200 200 200 200 200 200",
}

PUBLIC = {
    #                                                           ano gue out mem mut els mod own sta dea
    "GET    rooms (by slug)":                                 "200 200 200 200 200 200 200 200 200 401",
    "GET    rooms/heads":                                     "200 200 200 200 200 200 200 200 200 401",
    "GET    rooms/{room}":                                    "200 200 200 200 200 200 200 200 200 401",
    "PATCH  rooms/{room}":                                    "401 403 403 403 403 403 403 200 403 401",
    "PATCH  rooms/{room} (archived)":                         "401 403 403 403 403 403 403 200 403 401",
    "DELETE rooms/{room}":                                    "401 403 403 403 403 403 403 204 403 401",
    "GET    rooms/{room}/messages":                           "200 200 200 200 200 200 200 200 200 401",
    "GET    rooms/{room}/messages (held)":                    "401 200 200 200 200 200 200 200 200 401",
    "POST   rooms/{room}/messages":                           "401 201 201 201 403 201 201 201 201 401",
    "GET    rooms/{room}/events":                             "200 200 200 200 200 200 200 200 200 401",
    "PUT    rooms/{room}/read":                               "401 200 403 200 200 403 200 200 403 401",
    "POST   rooms/{room}/report":                             "401 201 201 201 201 201 201 201 201 401",
    "GET    rooms/{room}/members":                            "200 200 200 200 200 200 200 200 200 401",
    "POST   rooms/{room}/members":                            "401 403 403 403 403 403 201 201 403 401",
    "POST   rooms/{room}/members (a moderator)":              "401 403 403 403 403 403 403 201 403 401",
    "PUT    rooms/{room}/members/me":                         "401 200 200 200 200 200 200 200 200 401",
    "DELETE rooms/{room}/members/me":                         "401 204 204 204 204 204 204 409 204 401",
    "PATCH  rooms/{room}/members/{bystander}":                "401 403 403 403 403 403 403 200 403 401",
    "DELETE rooms/{room}/members/{bystander}":                "401 403 403 403 403 403 204 204 204 401",
    "GET    stream":                                          "200 200 200 200 200 200 200 200 200 401",
    "GET    messages/{message}":                              "200 200 200 200 200 200 200 200 200 401",
    "PATCH  messages/{message}":                              "401 403 403 403 403 403 403 403 403 401",
    "PATCH  messages/{own}":                                  "401 403 403 200 403 403 403 403 403 401",
    "DELETE messages/{message}":                              "401 403 403 403 403 403 204 204 204 401",
    "DELETE messages/{own}":                                  "401 403 403 204 403 403 204 204 204 401",
    "POST   messages/{gone}/restore":                         "401 403 403 403 403 403 200 200 200 401",
    "GET    messages/{message}/revisions":                    "403 403 403 403 403 403 200 200 200 401",
    "GET    messages/{own}/revisions":                        "403 403 403 200 403 403 200 200 200 401",
    "POST   messages/{message}/report":                       "401 201 201 201 201 201 201 201 201 401",
    "GET    moderation/held (in the room)":                   "401 403 403 403 403 403 200 200 200 401",
    "POST   moderation/held/{held}/approve":                  "401 404 404 404 404 404 200 200 200 401",
    "POST   moderation/held/{held}/reject":                   "401 404 404 404 404 404 200 200 200 401",
    "GET    moderation/reports (in the room)":                "401 403 403 403 403 403 200 200 200 401",
    "GET    moderation/reports/{report}":                     "401 404 404 404 404 404 200 200 200 401",
    "POST   moderation/reports/{report}/assign":              "401 404 404 404 404 404 200 200 200 401",
    "POST   moderation/reports/{report}/decide":              "401 404 404 404 404 404 200 200 200 401",
    "GET    moderation/sanctions (in the room)":              "401 403 403 403 403 403 200 200 200 401",
    "POST   moderation/sanctions":                            "401 403 403 403 403 403 201 201 201 401",
    "DELETE moderation/sanctions/{sanction}":                 "401 404 404 404 404 404 204 204 204 401",
    "POST   moderation/clean-ups":                            "401 403 403 403 403 403 201 201 201 401",
    "GET    moderation/actions (in the room)":                "401 403 403 403 403 403 200 200 200 401",
    "POST   moderation/actions/{action}/undo":                "401 404 404 404 404 404 201 201 201 401",
    "POST   webhooks":                                        "401 403 201 201 201 201 201 201 201 401",
    "GET    webhooks/{webhook}":                              "401 404 404 200 404 404 404 404 404 401",
    "PATCH  webhooks/{webhook}":                              "401 404 404 200 404 404 404 404 404 401",
    "DELETE webhooks/{webhook}":                              "401 404 404 204 404 404 404 404 404 401",
    "POST   webhooks/{webhook}/secret":                       "401 404 404 200 404 404 404 404 404 401",
    "POST   webhooks/{webhook}/test":                         "401 404 404 200 404 404 404 404 404 401",
    "GET    webhooks/{webhook}/deliveries":                   "401 404 404 200 404 404 404 404 404 401",
    "POST   webhooks/{webhook}/deliveries/{delivery}/repeat": "401 404 404 200 404 404 404 404 404 401",
}

PRIVATE = {
    #                                                           ano gue out mem mut els mod own sta dea
    "GET    rooms (by slug)":                                 "200 200 200 200 200 200 200 200 200 401",
    "GET    rooms/heads":                                     "200 200 200 200 200 200 200 200 200 401",
    "GET    rooms/{room}":                                    "404 404 404 200 200 404 200 200 404 401",
    "PATCH  rooms/{room}":                                    "401 404 404 403 403 404 403 200 404 401",
    "PATCH  rooms/{room} (archived)":                         "401 404 404 403 403 404 403 200 404 401",
    "DELETE rooms/{room}":                                    "401 404 404 403 403 404 403 204 404 401",
    "GET    rooms/{room}/messages":                           "404 404 404 200 200 404 200 200 404 401",
    "GET    rooms/{room}/messages (held)":                    "401 404 404 200 200 404 200 200 404 401",
    "POST   rooms/{room}/messages":                           "401 404 404 201 403 404 201 201 404 401",
    "GET    rooms/{room}/events":                             "404 404 404 200 200 404 200 200 404 401",
    "PUT    rooms/{room}/read":                               "401 404 404 200 200 404 200 200 404 401",
    "POST   rooms/{room}/report":                             "401 404 404 201 201 404 201 201 404 401",
    "GET    rooms/{room}/members":                            "404 404 404 200 200 404 200 200 404 401",
    "POST   rooms/{room}/members":                            "401 404 404 403 403 404 201 201 404 401",
    "POST   rooms/{room}/members (a moderator)":              "401 404 404 403 403 404 403 201 404 401",
    "PUT    rooms/{room}/members/me":                         "401 404 404 200 200 404 200 200 404 401",
    "DELETE rooms/{room}/members/me":                         "401 404 404 204 204 404 204 409 404 401",
    "PATCH  rooms/{room}/members/{bystander}":                "401 404 404 403 403 404 403 200 404 401",
    "DELETE rooms/{room}/members/{bystander}":                "401 404 404 403 403 404 204 204 404 401",
    "GET    stream":                                          "404 404 404 200 200 404 200 200 404 401",
    "GET    messages/{message}":                              "404 404 404 200 200 404 200 200 404 401",
    "PATCH  messages/{message}":                              "401 404 404 403 403 404 403 403 404 401",
    "PATCH  messages/{own}":                                  "401 404 404 200 403 404 403 403 404 401",
    "DELETE messages/{message}":                              "401 404 404 403 403 404 204 204 404 401",
    "DELETE messages/{own}":                                  "401 404 404 204 403 404 204 204 404 401",
    "POST   messages/{gone}/restore":                         "401 404 404 403 403 404 200 200 404 401",
    "GET    messages/{message}/revisions":                    "404 404 404 403 403 404 200 200 404 401",
    "GET    messages/{own}/revisions":                        "404 404 404 200 403 404 200 200 404 401",
    "POST   messages/{message}/report":                       "401 404 404 201 201 404 201 201 404 401",
    "GET    moderation/held (in the room)":                   "401 404 404 403 403 404 200 200 404 401",
    "POST   moderation/held/{held}/approve":                  "401 404 404 404 404 404 200 200 404 401",
    "POST   moderation/held/{held}/reject":                   "401 404 404 404 404 404 200 200 404 401",
    "GET    moderation/reports (in the room)":                "401 404 404 403 403 404 200 200 404 401",
    "GET    moderation/reports/{report}":                     "401 404 404 404 404 404 200 200 404 401",
    "POST   moderation/reports/{report}/assign":              "401 404 404 404 404 404 200 200 404 401",
    "POST   moderation/reports/{report}/decide":              "401 404 404 404 404 404 200 200 404 401",
    "GET    moderation/sanctions (in the room)":              "401 404 404 403 403 404 200 200 404 401",
    "POST   moderation/sanctions":                            "401 404 404 403 403 404 201 201 404 401",
    "DELETE moderation/sanctions/{sanction}":                 "401 404 404 404 404 404 204 204 404 401",
    "POST   moderation/clean-ups":                            "401 404 404 403 403 404 201 201 404 401",
    "GET    moderation/actions (in the room)":                "401 404 404 403 403 404 200 200 404 401",
    "POST   moderation/actions/{action}/undo":                "401 404 404 404 404 404 201 201 404 401",
    "POST   webhooks":                                        "401 404 404 201 201 404 201 201 404 401",
    "GET    webhooks/{webhook}":                              "401 404 404 200 404 404 404 404 404 401",
    "PATCH  webhooks/{webhook}":                              "401 404 404 200 404 404 404 404 404 401",
    "DELETE webhooks/{webhook}":                              "401 404 404 204 404 404 404 404 404 401",
    "POST   webhooks/{webhook}/secret":                       "401 404 404 200 404 404 404 404 404 401",
    "POST   webhooks/{webhook}/test":                         "401 404 404 200 404 404 404 404 404 401",
    "GET    webhooks/{webhook}/deliveries":                   "401 404 404 200 404 404 404 404 404 401",
    "POST   webhooks/{webhook}/deliveries/{delivery}/repeat": "401 404 404 200 404 404 404 404 404 401",
}

# What is sent with a row: the query of a GET, the body of the others. Rows that are missing send nothing.
SENT: dict[str, dict[str, Any]] = {
    "POST   guests":                             {"display_name": "{free_name}"},
    "POST   auth/token":                         {"username": "{username}", "password": "{password}"},
    "POST   auth/token/refresh":                 {"refresh": "{refresh}"},
    "POST   auth/token/revoke":                  {"token": "{refresh}"},
    "PATCH  me":                                 {"display_name": "{free_name}"},
    "POST   me/notices/seen":                    {"up_to": 0},
    "POST   users/{bystander}/report":           {"category": "hate"},
    "POST   rooms":                              {"name": "New"},
    "POST   moderation/sanctions (everywhere)":  {"user": "{bystander}", "kind": "ban"},
    "POST   moderation/clean-ups (everywhere)":  {"user": "{bystander}", "hours": 1},
    "GET    rooms (by slug)":                    {"slug": "{slug}"},
    "GET    rooms/heads":                        {"rooms": "{room}"},
    "PATCH  rooms/{room}":                       {"topic": "Tea"},
    "PATCH  rooms/{room} (archived)":            {"archived": True},
    "GET    rooms/{room}/messages (held)":       {"held": "mine"},
    "POST   rooms/{room}/messages":              {"body": "Hi"},
    "PUT    rooms/{room}/read":                  {"seq": 2},
    "POST   rooms/{room}/report":                {"category": "other"},
    "POST   rooms/{room}/members":               {"display_name": "{stranger}"},
    "POST   rooms/{room}/members (a moderator)": {"display_name": "{stranger}", "role": "moderator"},
    "PATCH  rooms/{room}/members/{bystander}":   {"role": "moderator"},
    "GET    stream":                             {"room": "{room}"},
    "PATCH  messages/{message}":                 {"body": "Forged"},
    "PATCH  messages/{own}":                     {"body": "Mended"},
    "POST   messages/{message}/report":          {"category": "spam"},
    "GET    moderation/held (in the room)":      {"room": "{room}"},
    "POST   moderation/held/{held}/reject":      {"category": "spam"},
    "GET    moderation/reports (in the room)":   {"room": "{room}"},
    "POST   moderation/reports/{report}/assign": {"assignee": None},
    "POST   moderation/reports/{report}/decide": {"outcome": "upheld"},
    "GET    moderation/sanctions (in the room)": {"room": "{room}"},
    "POST   moderation/sanctions":               {"user": "{bystander}", "kind": "mute", "room": "{room}"},
    "POST   moderation/clean-ups":               {"user": "{bystander}", "hours": 1, "room": "{room}"},
    "GET    moderation/actions (in the room)":   {"room": "{room}"},
    "POST   webhooks":                           {"room": "{room}", "url": "{receiver}"},
    "PATCH  webhooks/{webhook}":                 {"paused": True},
}

CODES = {
    "ok": "ok", "who?": "unauthenticated", "none": "not_found", "no": "forbidden", "mute": "muted",
}

# In the order in which each caller sends them on one socket: ``typing`` needs the open room, and a post makes
# a member of whoever was none.
PUBLIC_FRAMES = {
    #                   anon gues outs memb mute else mode owne staf deac
    "hello":           "ok   ok   ok   ok   ok   ok   ok   ok   ok   who?",
    "room.open":       "ok   ok   ok   ok   ok   ok   ok   ok   ok   ok",
    "typing":          "who? ok   ok   ok   no   ok   ok   ok   ok   who?",
    "room.read":       "who? ok   no   ok   ok   no   ok   ok   no   who?",
    "message.edit":    "who? no   no   no   no   no   no   no   no   who?",
    "message.delete":  "who? no   no   no   no   no   ok   ok   ok   who?",
    "message.restore": "who? no   no   no   no   no   ok   ok   ok   who?",
    "room.close":      "ok   ok   ok   ok   ok   ok   ok   ok   ok   ok",
    "ping":            "ok   ok   ok   ok   ok   ok   ok   ok   ok   ok",
    "message.post":    "who? ok   ok   ok   mute ok   ok   ok   ok   who?",
}

PRIVATE_FRAMES = {
    #                   anon gues outs memb mute else mode owne staf deac
    "hello":           "ok   ok   ok   ok   ok   ok   ok   ok   ok   who?",
    "room.open":       "none none none ok   ok   none ok   ok   none none",
    "typing":          "who? none none ok   no   none ok   ok   none who?",
    "room.read":       "who? none none ok   ok   none ok   ok   none who?",
    "message.edit":    "who? none none no   no   none no   no   none who?",
    "message.delete":  "who? none none no   no   none ok   ok   none who?",
    "message.restore": "who? none none no   no   none ok   ok   none who?",
    "room.close":      "ok   ok   ok   ok   ok   ok   ok   ok   ok   ok",
    "ping":            "ok   ok   ok   ok   ok   ok   ok   ok   ok   ok",
    "message.post":    "who? none none ok   mute none ok   ok   none who?",
}

FIELDS: dict[str, dict[str, Any]] = {
    "room.open":       {"room": "{room}"},
    "typing":          {"room": "{room}"},
    "room.read":       {"room": "{room}", "seq": 1},
    "message.edit":    {"message": "{message}", "body": "Forged"},
    "message.delete":  {"message": "{message}"},
    "message.restore": {"message": "{gone}"},
    "room.close":      {"room": "{room}"},
    "message.post":    {"room": "{room}", "body": "Hi", "client_id": "{client_id}"},
}
# fmt: on


def expected(cells: str) -> dict[str, str]:
    """What each caller is told by a row."""
    return dict(zip(CALLERS, cells.split(), strict=True))


def operation(row: str) -> tuple[str, str]:
    """Method and path of a row, with the names in braces."""
    method, path = row.partition(" (")[0].split()
    return method, path


def filled(value: Any, names: dict[str, Any]) -> Any:
    """``value`` with what stands in it in braces put in; a name alone keeps its type."""
    if isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    if not isinstance(value, str):
        return value
    alone = value.removeprefix("{").removesuffix("}")
    return names[alone] if alone in names and value != alone else value.format(**names)
