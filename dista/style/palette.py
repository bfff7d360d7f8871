"""The colours of both themes: calm paper or slate, one accent, orange for what was removed or matters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """Colours of a theme; ``amount`` and ``removed`` run from nothing to much, readable without hue."""

    page: str
    well: str
    panel: str
    paper: str
    cursor: str
    ink: str
    muted: str
    line: str
    accent: str
    soft: str
    orange: str
    off: str
    on: str
    elsewhere: str
    amount: tuple[str, str, str]
    removed: tuple[str, str, str]

    @property
    def categories(self) -> list[str]:
        """Colours of series that stand for kinds, in order of use: none is orange, which has a meaning."""
        return [self.accent, self.off, self.muted, self.soft, self.on, self.ink]

    def css(self) -> str:
        """The colours as custom properties, ``--ink`` and so on; those of a scale stand in a list."""
        listed = {n: v if isinstance(v, str) else " ".join(v) for n, v in asdict(self).items()}
        return " ".join(f"--{name}: {value};" for name, value in listed.items())


PALETTES: dict[str, Palette] = {
    "light": Palette(
        page="#fbfaf6",
        well="#f1efe8",
        panel="#ffffff",
        paper="#f6f5ef",
        cursor="#eef1ee",
        ink="#14181c",
        muted="#59626b",
        line="#e2e0d8",
        accent="#0b6e74",
        soft="#7fb6b3",
        orange="#c4481c",
        off="#2f62ad",
        on="#c9781a",
        elsewhere="#8b8f86",
        amount=("#f3f2ea", "#5aa8a6", "#05464c"),
        removed=("#f3f2ea", "#e08a4f", "#8a3208"),
    ),
    "dark": Palette(
        page="#14181b",
        well="#1f2428",
        panel="#1c2024",
        paper="#111416",
        cursor="#272d32",
        ink="#f1f2ee",
        muted="#a3abb2",
        line="#33393f",
        accent="#48bfbd",
        soft="#2c7c7d",
        orange="#ff8a5c",
        off="#6fa8ff",
        on="#f0a848",
        elsewhere="#8d959b",
        amount=("#22282d", "#2b8a88", "#c8f3dd"),
        removed=("#22282d", "#b9602b", "#ffd3a8"),
    ),
}

HAIRLINE = "rgba(128, 128, 128, .25)"
"""A border that is seen on paper and on slate, where the page's theme is not known."""

LOGO = ("#2a8d91", "#d9683a")
"""Accent and orange of the logo, which stands on paper and on slate alike: between those of the themes."""


def palette(theme: Theme) -> Palette:
    """The colours of ``theme``; ValueError for an unknown one."""
    if theme not in PALETTES:
        raise ValueError(f"theme={theme!r}; expected one of {', '.join(PALETTES)}")
    return PALETTES[theme]
