"""Settings of the documentation: `uv run --group docs sphinx-build -W -b html docs docs/_build`."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from made.members import Own

project = "cortexsim"
author = "The cortexsim authors"
version = release = installed("cortexsim")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "made.pages",
]
exclude_patterns = ["_build", "templates"]
templates_path = ["templates"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_context = {"own": Own()}
autodoc_typehints = "none"  # the docstrings say the types
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "cortexsim"
html_static_path = ["static"]
html_css_files = ["pages.css"]
# pages without others below them have nothing to list at their side
html_sidebars = {page: [] for page in ("index", "start", "gallery", "teachers")}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    # nothing is fetched from elsewhere
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
