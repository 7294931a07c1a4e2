"""Static files under names that carry their content's hash, modules and their imports too."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedStorage(ManifestStaticFilesStorage):
    """Rewrites the imports of JavaScript modules, so that a page never mixes two releases."""

    support_js_module_import_aggregation = True
    # One pass settles one level of imports.
    max_post_process_passes = 20
