"""Statements that are composed once and sent together.

Django takes longer to compose some queries than PostgreSQL to answer them, and each statement of its own is
a round trip. What a send, an opening and a page ask for is composed on first use, and goes in as few trips
as its order allows (docs/decisions/0014-statements-are-composed-once.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import CharField, Expression, Field, JSONField, Lookup, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)
T = TypeVar("T")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Statement(Generic[T]):
    """SQL with its values. ``read`` makes of its rows what the caller wants; without it there are none."""

    sql: str
    params: Sequence[Any] = field(default=())
    read: Callable[[list[Row]], list[T]] | None = None


def ask(*statements: Statement[Any]) -> list[list[Any]]:
    """Executes all, in order, in one round trip; what each has found.

    In a transaction, each is as if it had been sent alone: in READ COMMITTED it sees what was committed
    before it began. Outside of one, all of them are one transaction. The first error ends it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ";\n".join(statement.sql for statement in statements),
            [value for statement in statements for value in statement.params],
        )
        found = []
        for number, statement in enumerate(statements):
            if number:
                cursor.nextset()
            found.append(statement.read(cursor.fetchall()) if statement.read else [])
    return found


class Parameter(Expression):
    """A place in a ``Prepared`` query that each call fills; wherever the ORM takes an expression."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


@Field.register_lookup
class AnyOf(Lookup):
    """``field__any=values``: as ``in``, but with one array for the values: the statement stays the same."""

    lookup_name = "any"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", (*left_params, *right_params)


class Prepared(Generic[M]):
    """A query for objects of one model with their annotations. ``build`` is called on first use."""

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        self._build = build

    def of(self, **values: Any) -> Statement[M]:
        """The statement with a value for each ``Parameter``. Values go to PostgreSQL as they are."""
        params = [
            values[place.name] if isinstance(place, Parameter) else place for place in self._composed.params
        ]
        return Statement(self._composed.sql, params, self._composed.read)

    def find(self, **values: Any) -> list[M]:
        """What the statement finds when it is asked alone."""
        found: list[M] = ask(self.of(**values))[0]
        return found

    @cached_property
    def _composed(self) -> Statement[M]:
        query = self._build()
        compiler = query.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        columns = compiler.select
        converters = compiler.get_converters([column for column, _, _ in columns])
        # The model's own columns stand first; the others have an alias, which is the annotation's name.
        fields = [column.target.attname for column, _, alias in columns if alias is None]
        annotations = [alias for _, _, alias in columns if alias is not None]
        model, split = query.model, len(fields)

        def read(rows: list[Row]) -> list[M]:
            found = []
            for row in compiler.apply_converters(rows, converters) if converters else rows:
                instance = model.from_db(DEFAULT_DB_ALIAS, fields, row[:split])
                instance.__dict__.update(zip(annotations, row[split:], strict=True))
                found.append(instance)
            return found

        return Statement(sql, params, read)


def insertion(objects: Sequence[M]) -> Statement[Any]:
    """Writes ``objects``, at least one, as they are: with the keys they have, without signals.

    Either all have a key or none; then the database gives one that nobody is told. Each column is one array,
    so that the statement stays the same.
    """
    sql, columns = _insertion_of(type(objects[0]), has_key=objects[0].pk is not None)
    values = [[getattr(each, name) for each in objects] for name, _ in columns]
    return Statement(
        sql,
        [
            [adapt(value, connection) for value in column] if adapt else column
            for column, (_, adapt) in zip(values, columns, strict=True)
        ],
    )


@cache
def _insertion_of(model: type[Model], *, has_key: bool) -> tuple[str, list[tuple[str, Any]]]:
    options, quote = model._meta, connection.ops.quote_name
    columns = [each for each in options.concrete_fields if has_key or not each.primary_key]
    names = ", ".join(quote(str(each.column)) for each in columns)
    # A cast to varchar(n) would cut what is too long; the column itself refuses it.
    types = ["text" if isinstance(each, CharField) else each.cast_db_type(connection) for each in columns]
    arrays = ", ".join(f"%s::{kind}[]" for kind in types)
    sql = f"INSERT INTO {quote(options.db_table)} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names
    # psycopg knows what to do with all but JSON.
    return sql, [
        (str(each.attname), each.get_db_prep_save if isinstance(each, JSONField) else None)
        for each in columns
    ]
