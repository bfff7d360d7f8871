"""Colours, labels and sentences are written once: no other file has a colour, and all say the same words."""

import re
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from dista.figures import theme
from dista.style import labels, marks, sentences
from dista.style.palette import HAIRLINE, LOGO, PALETTES, Palette, palette
from dista.widgets.source import styles

ROOT = Path(__file__).parent.parent
HOME = ROOT / "dista" / "style" / "palette.py"
SOURCES = [p for part in ("app", "dista") for p in sorted((ROOT / part).rglob("*"))]
SOURCES = [p for p in SOURCES if p.suffix in (".py", ".js", ".mjs", ".css") and p != HOME]

LITERAL = re.compile(
    r"""#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})(?![\w-])|\b(?:rgba?|hsla?|oklch|oklab|lab|lch|hwb)\(\s*[\d.]""",
    re.IGNORECASE,
)
NOTHING = "rgba(0,0,0,0)"  # transparent, for plotly, which knows no other word for it
TEXT_ON_CELLS = {"#000000", "#ffffff"}  # the number on a cell, dista.figures.theme.text_on


def literals(text):
    """Colours written in a text, but for transparency and identifiers of SVG (``url(#gone)``)."""
    return LITERAL.findall(text.replace(NOTHING, "").replace("url(#", "url("))


@pytest.mark.parametrize(
    "text", ["color: #0b6e74;", "'#fff'", "rgba(1, 2, 3, .5)", "hsl(20 10% 5%)"]
)
def test_a_colour_is_recognised(text):
    assert len(literals(text)) == 1


@pytest.mark.parametrize(
    "text", ["this.#recordedSpikes(a)", "url(#gone)", "css([0, 0, 0])", "`rgb(${x})`"]
)
def test_what_is_no_colour_is_not(text):
    assert literals(text) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_colour_stands_anywhere_else(path):
    colours = set(literals(path.read_text("utf-8")))
    if path == ROOT / "dista" / "figures" / "theme.py":
        colours -= TEXT_ON_CELLS
    assert colours == set(), "name it in dista/style/palette.py"


@pytest.mark.parametrize("name", PALETTES)
def test_streamlits_theme_is_the_palette(name):
    """That file cannot import it."""
    config = tomllib.loads((ROOT / "app" / ".streamlit" / "config.toml").read_text())["theme"]
    colours = palette(name)
    assert config[name] == {
        "primaryColor": colours.accent,
        "backgroundColor": colours.page,
        "secondaryBackgroundColor": colours.well,
        "textColor": colours.ink,
        "linkColor": colours.accent,
        "borderColor": colours.line,
        "chartCategoricalColors": colours.categories,
    }
    assert config["font"] == theme.FONT


@pytest.mark.parametrize("name", ["icon.svg", "logo.svg"])
def test_the_logo_has_its_two_colours(name):
    assert set(literals((ROOT / "app" / name).read_text())) == set(LOGO)


def test_the_stylesheet_hands_every_colour_on():
    text = styles()
    for name, colours in PALETTES.items():
        for colour, value in asdict(colours).items():
            written = value if isinstance(value, str) else " ".join(value)
            assert f"--{colour}: {written};" in text, f"{colour} of the {name} theme"
    used = set(re.findall(r"var\(--([\w-]+)", text))
    theirs = {name for name in used if name.startswith(("st-", "jp-", "vscode-"))}
    theirs |= {"pinned"}  # where the dashboard's header ends
    assert used - theirs <= {field.name for field in fields(Palette)}


def test_the_page_has_the_colours_of_its_run_and_follows_the_browser():
    from app.page import style

    for name, colours in PALETTES.items():
        (of_run,) = re.findall(r"--panel: ([^;]+);", style.colours(name))
        (of_browser,) = re.findall(r"--panel: ([^;]+);", style.sheet())
        assert of_run == colours.panel
        assert of_browser == f"light-dark({PALETTES['light'].panel}, {PALETTES['dark'].panel})"


def test_both_sheets_of_the_page_get_what_they_use():
    used = set(re.findall(r"var\(--([\w-]+)", (ROOT / "app" / "page" / "style.css").read_text()))
    assert used == {"panel", "hairline", "accent", "ink", "muted", "line"} and HAIRLINE.startswith(
        "rgba("
    )


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize(
    "colour, least", [("ink", 7), ("muted", 4.5), ("accent", 4.5), ("orange", 4.5)]
)
def test_words_can_be_read_on_page_and_panel(name, colour, least):
    """WCAG's contrast: 4.5 for text, 7 for the text that there is most of."""
    colours = palette(name)
    for ground in (colours.page, colours.panel):
        high, low = sorted((luminance(getattr(colours, colour)), luminance(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, ground


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("scale", ["amount", "removed"])
def test_scales_can_be_read_without_hue(name, scale):
    levels = [luminance(colour) for colour in getattr(palette(name), scale)]
    assert levels in (sorted(levels), sorted(levels, reverse=True))
    assert abs(levels[-1] - levels[0]) > 0.4


def test_an_unknown_theme_is_refused():
    with pytest.raises(ValueError, match="theme='sepia'; expected one of light, dark"):
        palette("sepia")


# --- labels -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, label, title",
    [
        ("stem.stages.0.neuron", "stem 1", "the stem 1 neurons"),
        ("stem.position.neuron", "stem position", "the stem position neurons"),
        ("blocks.0.attention.query.neuron", "1 Q", "the Q neurons, block 1"),
        ("blocks.1.attention.read", "2 read-out", "the read-out neurons, block 2"),
        ("blocks.1.attention.query", "2 Q", "the Q neurons, block 2"),
        ("blocks.1.attention.neuron", "2 read-out", "the read-out neurons, block 2"),
        ("blocks.0.attention.output.neuron", "1 attention output", "the attention output neurons, block 1"),
        ("blocks.10.mlp.hidden.neuron", "11 MLP hidden", "the MLP hidden neurons, block 11"),
        ("blocks.0.mlp.output.neuron", "1 MLP output", "the MLP output neurons, block 1"),
        ("blocks.1", "block 2", "the block 2 neurons"),
        ("head", "classifier", "the classifier neurons"),
    ],
)  # fmt: skip
def test_layers_are_called_alike_everywhere(name, label, title):
    assert labels.layer(name) == theme.short(name) == label
    assert labels.layer_title(name) == title


def test_every_layer_of_a_model_has_a_label_of_its_own(small_model):
    from dista.neurons import LIF

    names = [n for n, module in small_model().named_modules() if isinstance(module, LIF)]
    assert len(names) > 8 and len({labels.layer(name) for name in names}) == len(names)


def test_the_browser_writes_no_label_and_no_sentence_about_a_recording():
    """It has them from the header of the data; these are the words that would give it away."""
    script = "\n".join(
        path.read_text("utf-8")
        for path in SOURCES
        if path.suffix == ".js" and path.parent.name == "js"
    )
    words = [*sentences.MISSING.values(), "Settles at", "are not normalised", "reaches back"]
    words += [
        "projection memory",
        "MLP",
        "The denoiser keeps counts",
        *(text for key, text in labels.RANGES.items() if text != key),
    ]
    assert [said for said in words if said in script] == []
    stages = re.findall("|".join(labels.STAGES.values()), script)
    assert not [s for s in stages if f'"{s}"' in script and s not in ("Input", "Stem")]


def test_what_is_missing_is_said_without_names_of_modules():
    assert not [
        said for said in sentences.MISSING.values() if "." in said.rstrip(".").replace(". ", " ")
    ]


# --- sentences ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, digits, text",
    [
        (3.0, 2, "3"),
        (2.50, 2, "2.5"),
        (0.126, 2, "0.13"),
        (10.0, 0, "10"),
        (100.04, 1, "100"),
        (-0.001, 2, "0"),
    ],
)
def test_numbers_have_as_many_digits_as_they_need(value, digits, text):
    assert sentences.number(value, digits) == text


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("yes", "yes", 0, 0, 8), "Answers “yes” from the first step on. That is correct."),
        (("yes", "no", 4, 2, 8), "Settles at step 5 on “yes” and stays. The label is “no”."),
        (("yes", None, 7, 6, 8), "Settles at step 8 on “yes”."),
    ],
)
def test_when_an_answer_settles(arguments, said):
    assert sentences.settles(*arguments) == said


@pytest.mark.parametrize(
    "first, said", [(0, "mean of all steps"), (3, "mean of steps 4 to 8"), (7, "last step alone")]
)
def test_which_steps_are_averaged(first, said):
    assert said in sentences.averaged(first, 8)


def test_steps_say_how_far_they_reach():
    said = sentences.steps(3, ["cue", "", "probe"], None, [0, 1, 2])
    assert said == [
        "Step 1 of 3, cue: there is no past yet to attend to",
        "Step 2 of 3: attention reaches back 1 step, to step 1",
        "Step 3 of 3, probe: attention reaches back 2 steps, to step 1",
    ]
    assert sentences.steps(2, None, None, [])[1].endswith("compares the patches of this step")
    assert sentences.steps(2, None, None, None) == ["Step 1 of 2", "Step 2 of 2"]
    assert sentences.steps(1, ["cue"], ["look here"], [0]) == ["Step 1 of 1: look here"]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({}, "every reachable step (0–16). The denoiser keeps counts above u = 2.5."),
        ({"denoised": False}, "What the denoiser keeps was not recorded."),
        ({"raw": False}, "The counts before the denoiser were not recorded."),
        ({"rule": {"kind": "lookup"}}, "looks each count up in a table."),
        ({"rule": {}, "head_dim": None}, "of every reachable step."),
        ({"cross": False}, "through Q, K and V (projection memory, 4 steps). The denoiser keeps"),
        ({"cross": False, "memory": None, "lags": True}, "enters before it, through Q, K and V."),
        ({"cross": False, "memory": {"form": "none", "window": 1}}, "No other step enters."),
    ],
)
def test_what_a_map_is(changes, said):
    facts = dict(cross=True, raw=True, denoised=True, lags=False, head_dim=16)
    facts |= dict(rule={"kind": "threshold", "u": 2.5}, memory={"form": "projection", "window": 4})
    if changes.get("rule") == {}:
        said = "every reachable step."
    assert said in sentences.attention(**facts | changes)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"tau": 4.7, "start": 1.67, "learned": True}, "learned tau = 4.7, from 1.7 at the start,"),
        (
            {"tau": 4.7, "start": None, "learned": True},
            "learned tau = 4.7 (that of the start was not kept)",
        ),
        ({"tau": 2.0, "start": 2.0, "learned": False}, "have the fixed tau = 2.0"),
    ],
)
def test_a_tau_that_is_fixed_was_not_learned(facts, said):
    assert sentences.tau_history(**facts) == said


# Marks --------------------------------------------------------------------------------------------

WIDGETS = ROOT / "dista" / "widgets"


def declared(selector):
    """What the probe's charts say of a mark."""
    css = (WIDGETS / "css" / "charts.css").read_text("utf-8")
    rule = re.search(rf"\.dista-probe svg {re.escape(selector)} {{([^}}]*)}}", css)
    return dict(re.findall(r"([\w-]+): ([^;]+);", rule[1]))


@pytest.mark.parametrize(
    "line, selector", [(marks.THRESHOLD, ".threshold"), (marks.MEMBRANE, ".line.trace")]
)
def test_a_line_is_the_same_in_python_and_in_the_browser(line, selector):
    said = declared(selector)
    assert said["stroke"] == f"var(--{line.colour})" and float(said["stroke-width"]) == line.width
    assert said.get("stroke-dasharray", "") == " ".join(map(str, line.dash))


def test_a_spike_is_the_same_in_python_and_in_the_browser():
    assert declared(".spike")["fill"] == f"var(--{marks.SPIKE.colour})"
    drawn = [path.read_text("utf-8") for path in (WIDGETS / "js").glob("*.js")]
    spikes = [line for text in drawn for line in text.splitlines() if 'class: "spike"' in line]
    assert len(spikes) == 2  # of the probe, and of the neuron alone
    assert marks.SPIKE.symbol == "circle"
    assert all(
        f'"{marks.SPIKE.symbol}"' in one and f"r: {marks.SPIKE.size / 2:g}" in one for one in spikes
    )


def test_thresholds_of_the_denoiser_look_different():
    colours = palette("light")
    looks = [marks.of_u(u, colours, own=u == 1) for u in (0, 1, 2, 3, 4, 5)]
    seen = [(line.get("dash"), line["color"], marker["symbol"]) for line, marker in looks[:5]]
    for part in zip(*seen):
        assert len(set(part)) == 5, "told apart by dashes, by colour and by form"
    assert marks.of_u(3, colours, own=False) == marks.of_u(3.0, colours, own=False)


def test_orange_has_one_meaning():
    assert not {palette(name).orange for name in PALETTES} & {
        colour for name in PALETTES for colour in palette(name).categories
    }
    for path in (ROOT / "dista" / "figures").glob("*.py"):
        assert not re.search(r"add_[hv]line\([^)]*orange", path.read_text("utf-8")), path.name
    assert "orange" not in (ROOT / "app" / "trainings" / "live_charts.py").read_text("utf-8")


@pytest.mark.parametrize(
    "p, said", [(0.5, "0.5"), (0.0431, "0.043"), (0.001, "0.001"), (2.8e-54, "< 0.001")]
)
def test_a_p_is_said_as_exactly_as_it_can_be_known(p, said):
    assert sentences.p_value(p) == said
