"""Who may import whom, read from the syntax trees."""

import ast
import graphlib
import itertools

import pytest
from source_files import FILES, MODULES, PACKAGE, ROOT, dotted, modules_that, name, room_of, uses

# The rooms of the house: a module of the ground floor, or a folder; and what each may import of the others.
# Within a room files import each other as they like, but never in a circle. A file of no room fails.
ROOMS = {
    # what is chosen, without torch
    "dista.extras": (),
    "dista.validation": (),
    "dista.memories": ("dista.validation",),
    "dista.denoisers": ("dista.validation",),
    "dista.config": ("dista.validation", "dista.memories", "dista.denoisers"),
    "dista.presets": ("dista.config",),
    "dista.recipes": ("dista.config",),
    # the equations
    "dista.observable": (),
    "dista.streaming": (),
    "dista.inputs": (),
    "dista.engine": ("dista.streaming",),
    "dista.neurons": ("dista.extras", "dista.config", "dista.observable", "dista.streaming", "dista.engine"),
    "dista.layers": ("dista.config", "dista.neurons", "dista.engine"),
    "dista.attention": (
        "dista.config", "dista.memories", "dista.denoisers", "dista.observable", "dista.streaming",
        "dista.engine", "dista.neurons", "dista.layers",
    ),
    "dista.model": (
        "dista.config", "dista.observable", "dista.streaming", "dista.inputs", "dista.engine", "dista.layers",
        "dista.attention",
    ),
    # looked into, and kept
    "dista.files": ("dista.engine",),
    "dista.hooks": ("dista.engine",),
    "dista.recording": ("dista.observable", "dista.engine", "dista.files", "dista.hooks"),
    "dista.checkpoint": ("dista.config", "dista.memories", "dista.engine", "dista.files", "dista.model"),
    "dista.data": ("dista.extras", "dista.files"),
    "dista.measures": ("dista.extras", "dista.config"),
    "dista.style": ("dista.memories", "dista.denoisers"),
    "dista.figures": ("dista.extras", "dista.measures", "dista.style"),
    "dista.experiments": (
        "dista.config", "dista.denoisers", "dista.streaming", "dista.engine", "dista.neurons", "dista.attention", "dista.hooks", "dista.recording", "dista.data",
        "dista.measures",
    ),
    "dista.lessons": (
        "dista.extras", "dista.memories", "dista.denoisers", "dista.config", "dista.neurons", "dista.layers", "dista.attention",
        "dista.model", "dista.recording", "dista.checkpoint", "dista.data", "dista.measures", "dista.style",
        "dista.experiments",
    ),
    "dista.runs": (
        "dista.config", "dista.presets", "dista.files", "dista.model", "dista.recording", "dista.checkpoint",
        "dista.data",
    ),
    "dista.widgets": (
        "dista.extras", "dista.recording", "dista.measures", "dista.style", "dista.figures", "dista.experiments",
        "dista.runs",
    ),
    "dista.training": (
        "dista.extras", "dista.config", "dista.presets", "dista.memories", "dista.engine", "dista.files", "dista.neurons", "dista.layers",
        "dista.model", "dista.recording", "dista.checkpoint", "dista.data", "dista.measures", "dista.experiments",
        "dista.runs",
    ),
    "dista.studies": (
        "dista.extras", "dista.config", "dista.presets", "dista.recipes", "dista.files", "dista.checkpoint",
        "dista.data", "dista.measures", "dista.style", "dista.experiments", "dista.runs", "dista.training",
    ),
    "dista.bench": (
        "dista.extras", "dista.config", "dista.presets", "dista.recipes", "dista.memories", "dista.denoisers", "dista.streaming", "dista.engine",
        "dista.files", "dista.neurons", "dista.layers", "dista.attention", "dista.model", "dista.recording", "dista.checkpoint",
        "dista.data", "dista.measures", "dista.experiments", "dista.training",
    ),
    "dista.cli": (
        "dista.extras", "dista.config", "dista.presets", "dista.recipes", "dista.engine", "dista.files", "dista.recording", "dista.checkpoint",
        "dista.data", "dista.measures", "dista.style", "dista.experiments", "dista.runs", "dista.training", "dista.studies",
        "dista.bench",
    ),
    "dista.__main__": ("dista.cli",),
    "dista": (),  # names are imported when first used
    # the dashboard
    "app": (),
    "app.link": ("dista.checkpoint", "dista.widgets"),
    "app.inputs": (
        "app.link", "dista.config", "dista.memories", "dista.files", "dista.checkpoint", "dista.data",
        "dista.experiments", "dista.runs", "dista.widgets",
    ),
    "app.tours": ("app.link", "app.inputs"),
    "app.computed": (
        "app.link", "app.inputs", "dista", "dista.config", "dista.files", "dista.neurons", "dista.recording",
        "dista.checkpoint", "dista.measures", "dista.style", "dista.figures", "dista.experiments", "dista.widgets",
    ),
    "app.trainings": (
        "app.link", "app.inputs", "app.computed", "dista.config", "dista.memories", "dista.denoisers", "dista.presets",
        "dista.style", "dista.data", "dista.runs", "dista.widgets",
    ),
    "app.page": (
        "app.link", "app.inputs", "app.computed", "dista.recording", "dista.measures", "dista.style", "dista.figures",
        "dista.widgets",
    ),
    "app.studies": (
        "app.link", "app.inputs", "app.trainings", "app.page", "dista.files", "dista.checkpoint", "dista.measures",
        "dista.figures", "dista.runs", "dista.studies",
    ),
    "app.denoising": (
        "app.link", "app.inputs", "app.computed", "app.page", "dista.denoisers", "dista.measures", "dista.figures",
        "dista.experiments", "dista.widgets",
    ),
    "app.remembering": (
        "app.link", "app.inputs", "app.computed", "app.page", "dista.measures", "dista.figures", "dista.experiments",
    ),
    "app.learning": (
        "app.link", "app.inputs", "app.trainings", "app.page", "dista.style", "dista.figures", "dista.runs",
    ),
    "app.views": (
        "app.link", "app.inputs", "app.computed", "app.trainings", "app.tours", "app.page", "app.studies",
        "app.denoising", "app.remembering", "app.learning",
        "dista.memories",        "dista.denoisers", "dista.measures", "dista.style", "dista.figures", "dista.experiments", "dista.runs",
        "dista.studies", "dista.widgets",
    ),
    "app.dashboard": ("app.link", "app.tours", "app.page", "dista.style", "dista.engine"),
    "app.main": ("app.page",),
}  # fmt: skip

# A library, and the files (or folders) that may import it at all.
HOMES = {
    "plotly": ("dista/figures/", "app/"),
    "streamlit": ("app/", "dista/widgets/streamlit.py"),
    "starlette": ("app/page/first_page.py",),
    "anywidget": ("dista/widgets/",),
    "ipywidgets": ("dista/widgets/",),
    "traitlets": ("dista/widgets/",),
    "lightning": ("dista/training/",),
    "pytorch_lightning": ("dista/training/",),
    "numba": ("dista/engine/compiled.py", "dista/engine/vectors.py", "dista/engine/vector_code.py"),
    "llvmlite": ("dista/engine/vectors.py", "dista/engine/vector_code.py"),
    "triton": ("dista/engine/gpu_loops.py", "dista/engine/gpu_maps.py"),
    "optuna": ("dista/studies/queue.py", "dista/measures/importance.py"),
    "app": ("app/",),
}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_file_is_in_a_room_and_knows_only_rooms_below(path):
    room = room_of(path)
    assert room in ROOMS, f"{name(path)} belongs to no room: add it to one, or the room to ROOMS"
    others = {room_of(MODULES[module]) for module in modules_that(path)} - {room}
    if path.name != "__init__.py" or room != "dista":
        assert others <= set(ROOMS[room]), f"{name(path)}: {room} may not know {others}"


def test_there_is_no_circle():
    """Neither of files nor of rooms, imports inside of functions included."""
    files = {dotted(path): modules_that(path) - {dotted(path)} for path in FILES}
    for graph in (files, ROOMS):
        list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle


def test_no_room_stands_in_the_table_that_is_not_there():
    assert {room_of(path) for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=name)
def test_a_room_says_what_it_is(path):
    sentence = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert sentence and len(sentence) > 30


# A room or a file, and what it must not import: at all, or (with "import:") when it is imported itself.
FORBIDDEN = [
    ("dista/validation.py", ["torch", "numpy", "xarray"]),
    ("dista/memories.py", ["torch", "numpy", "xarray"]),
    ("dista/denoisers.py", ["import:torch", "numpy", "xarray"]),
    ("dista/config.py", ["torch", "numpy", "xarray"]),
    ("dista/presets.py", ["torch"]),
    ("dista/recipes.py", ["torch"]),
    ("dista/observable.py", ["import:torch", "numpy", "xarray"]),
    ("dista/style", ["torch", "numpy", "xarray", "plotly"]),
    ("dista/neurons.py", ["xarray", "zarr", "import:spikingjelly"]),
    ("dista/layers.py", ["xarray", "zarr", "spikingjelly"]),
    ("dista/attention.py", ["xarray", "zarr", "spikingjelly"]),
    ("dista/streaming.py", ["xarray"]),
    ("dista/model.py", ["xarray", "zarr", "spikingjelly"]),
    ("dista/hooks.py", ["numpy", "xarray"]),
    ("dista/recording.py", ["import:xarray", "import:zarr"]),
    ("dista/checkpoint.py", ["import:torch", "import:dista.model", "xarray"]),
    ("dista/files", ["import:torch", "import:xarray", "import:zarr"]),
    ("dista/runs/folder.py", ["import:torch", "import:xarray", "import:pandas"]),
    ("dista/runs/facts.py", ["torch", "import:pandas"]),
    ("dista/runs/tables.py", ["torch", "import:pandas"]),
    ("dista/runs/processes.py", ["import:filelock", "torch"]),
    ("dista/runs/differences.py", ["torch", "xarray"]),
    ("dista/runs/provenance.py", ["lightning"]),
    ("dista/studies", ["import:torch", "import:dista.training", "import:optuna", "import:pandas"]),
    ("dista/experiments", ["import:dista.data", "import:xarray"]),
    ("dista/experiments/counterfactuals.py", ["xarray", "dista"]),
    ("dista/experiments/untrained.py", ["xarray", "dista"]),
    ("dista/measures", ["torch", "plotly", "import:pandas"]),
]


@pytest.mark.parametrize("place, modules", FORBIDDEN)
def test_forbidden_imports(place, modules):
    paths = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    assert paths
    for path, forbidden in itertools.product(paths, modules):
        at_import, library = forbidden.startswith("import:"), forbidden.removeprefix("import:")
        assert not uses(path, library, everywhere=not at_import), f"{name(path)} imports {library}"


@pytest.mark.parametrize("library", HOMES)
def test_libraries_stay_at_home(library):
    users = [name(path) for path in FILES if uses(path, library)]
    assert [user for user in users if not user.startswith(HOMES[library])] == []


@pytest.mark.parametrize("path", [p for p in PACKAGE if "figures" in p.parts], ids=name)
def test_figures_know_results_only(path):
    """Figures are functions of results: they see neither a model nor a widget."""
    for forbidden in ("torch", "lightning", "dista.model", "dista.training", "dista.widgets"):
        assert not uses(path, forbidden), f"{name(path)} imports {forbidden}"
