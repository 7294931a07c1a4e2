"""The audit refuses every change of what is in it, whoever asks."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION chat_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON chat_moderationaction
    FOR EACH ROW EXECUTE FUNCTION chat_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON chat_moderationaction
    FOR EACH STATEMENT EXECUTE FUNCTION chat_refuse_change();
"""
BACKWARDS = """
DROP TRIGGER append_only ON chat_moderationaction;
DROP TRIGGER append_only_whole ON chat_moderationaction;
DROP FUNCTION chat_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_moderation")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
