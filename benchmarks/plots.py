"""The plots of a run, as SVG. One row of PLOTS for each."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

STYLE = Style(
	background="white",
	plot_background="white",
	font_family="sans-serif",
	title_font_size=16,
	legend_font_size=13,
	guide_stroke_color="#dddddd",
	major_guide_stroke_color="#dddddd",
	guide_stroke_dasharray="1,0",
	major_guide_stroke_dasharray="1,0",
	colors=("#1f6f8b", "#e07a5f", "#5b8e3e", "#8a5fbf", "#c9a227", "#444444", "#b23a48", "#2a9d8f"),
)


@dataclass(frozen=True)
class Plot:
	"""Figures of a part that have the `at` keys `across` and `series`; `bars` for those that are no line."""

	name: str
	title: str
	part: str
	unit: str
	across: str
	series: str | None = None
	across_is: str = ""
	logarithmic: bool = False
	bars: bool = False
	limit: bool = False


PLOTS = (
	Plot(
		"push",
		"A push, by what it asks for",
		"push",
		"ms",
		"items",
		"kind",
		"items in the push",
		True,
		limit=True,
	),
	Plot(
		"growth",
		"The same work, by what is stored",
		"growth",
		"ms",
		"stored",
		"kind",
		"records in the space",
		True,
	),
	Plot("pages", "A page of a pull", "pull", "ms", "page", "encoding", "records in the page", True),
	Plot("ways-push", "Creating one record", "ways", "ms", "way", bars=True),
	Plot("ways-pull", "Reading one record", "pull", "ms", "way", bars=True),
	Plot("devices", "Many devices at once", "devices", "items/s", "clients", across_is="devices"),
	Plot("latency", "Waiting for an answer", "latency", "ms", "call", "share", bars=True),
)
WORDS = {
	"ours": "sync over HTTP",
	"engine": "the engine, in process",
	"plain": "one REST request each",
	"process": "one document each, in process",
	"list": "Frappe's list over HTTP",
}


def write(folder: Path, figures: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
	"""Write the plots that the figures are enough for; returns [(file name, title)]."""
	written = []
	for plot in PLOTS:
		series = _series(plot, figures)
		if series:
			path = folder / f"{plot.name}.svg"
			path.write_text(_chart(plot, series).render(is_unicode=True) + "\n")
			written.append((path.name, plot.title))
	return written


def _series(plot: Plot, figures: Iterable[Mapping[str, Any]]) -> dict[str, dict[Any, float]]:
	"""{series: {place across: value}}."""
	wanted = {plot.across, plot.series} - {None}
	found: dict[str, dict[Any, float]] = {}
	for figure in figures:
		at = figure["at"]
		if figure["part"] != plot.part or figure["unit"] != plot.unit or set(at) != wanted:
			continue
		name = str(at[plot.series]) if plot.series else plot.title
		found.setdefault(name, {})[at[plot.across]] = figure["value"]
		if plot.limit and figure["limit"]:
			found.setdefault("the database alone", {})[at[plot.across]] = figure["limit"]
	return found


def _chart(plot: Plot, series: Mapping[str, Mapping[Any, float]]) -> pygal.Graph:
	kind = pygal.HorizontalBar if plot.bars and not plot.series else pygal.Bar if plot.bars else pygal.Line
	places = list(dict.fromkeys(place for values in series.values() for place in values))
	chart = kind(
		title=f"{plot.title} ({plot.unit})",
		x_title=plot.across_is,
		style=STYLE,
		js=(),
		no_prefix=True,
		disable_xml_declaration=True,
		logarithmic=plot.logarithmic,
		show_legend=bool(plot.series),
		legend_at_bottom=True,
		width=760,
		height=420,
		print_values=plot.bars,
		value_formatter=lambda value: f"{value:,.3g}",
	)
	chart.add_xml_filter(_without_scripts)
	if plot.logarithmic:
		chart.y_labels = list(_steps([value for values in series.values() for value in values.values()]))
	chart.x_labels = [WORDS.get(place, f"{place:,}" if isinstance(place, int) else place) for place in places]
	for name, values in series.items():
		chart.add(name, [values.get(place) for place in places])
	return chart


def _without_scripts(root: Any) -> Any:
	"""Nothing that runs belongs into a picture."""
	for parent in list(root.iter()):
		for script in parent.findall("{*}script"):
			parent.remove(script)
	return root


def _steps(values: Sequence[float]) -> Iterator[float]:
	"""1, 2 and 5 of each power of ten, from what is not above the values to what is not below them."""
	step = 10.0 ** math.floor(math.log10(min(values)))
	steps = [factor * step * 10**power for power in range(12) for factor in (1, 2, 5)]
	first = max(number for number in steps if number <= min(values))
	last = min(number for number in steps if number >= max(values))
	return (number for number in steps if first <= number <= last)
