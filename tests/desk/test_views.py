"""Texts of devices run in no view of the Desk, also where one puts them into attributes or turns entities into signs."""

import frappe
import pytest

from tests.conflicts.conftest import make_person
from tests.desk import views
from tests.desk.conftest import enter
from tests.desk.stirring import stir
from tests.desk.views import BRANCH, OWN, SEEN, SLUG
from tests.support.texts import ATTRIBUTES, ENTITIES, PAYLOADS, RUN, SPLIT

pytestmark = pytest.mark.thorough  # minutes long

# A quick list shows the last four, a drop-down list the last ten.
TEXTS = (
	*ATTRIBUTES[2:4],
	PAYLOADS[1],
	*ENTITIES,
	PAYLOADS[6],
	*SPLIT,
	PAYLOADS[0],
	f'x" onload={RUN} onmouseover={RUN} y="',
)
LIST = (f"/app/{SLUG}/view/list", ".list-row-container")
SCALE = "frappe.views.calendar[%r] = {field_map: {start: 'starts', end: 'ends', id: 'name', title: 'title'}, gantt: true}"
# View: address, what it has when it is there, and what a person does then (JavaScript), with what comes of it.
VIEWS = {
	"list": (
		LIST[0],
		".list-row-container .filterable",
		"document.querySelector('.list-row-container .filterable').click()",
		".filter-selector",
	),
	"report": (f"/app/{SLUG}/view/report", ".dt-cell"),
	"groups of a report": (f"/app/{SLUG}/view/report/{OWN}", ".dt-cell"),
	"images": (f"/app/{SLUG}/view/image", ".image-view-item"),
	"board": (f"/app/{SLUG}/view/kanban/{OWN}", ".kanban-card-wrapper"),
	"calendar": (
		*LIST,
		f"frappe.sys_defaults.time_zone ||= 'UTC'; frappe.set_route('List', {SEEN!r}, 'Calendar', {OWN!r})",
		".fc-event",
	),
	"scale of time": (
		*LIST,
		f"{SCALE % SEEN}; frappe.set_route('List', {SEEN!r}, 'Gantt')",
		".gantt .bar-wrapper",
		"for (const task of cur_list.gantt.tasks) cur_list.gantt.show_popup({task, target_element: "
		"document.querySelector('.bar'), title: task.name, subtitle: task.name})",
		".popup-wrapper",
	),
	"tree": (f"/app/{frappe.scrub(BRANCH).replace('_', '-')}/view/tree", ".tree-children .tree-node"),
	"sidebar": (
		*LIST,
		"(one => { one.group_by_fields = ['title']; one.render_group_by_items(); one.setup_dropdown(); })"
		"(cur_list.list_sidebar.list_group_by)",
		".group-by-field [data-fieldname=title]",
		"document.querySelector('.group-by-field [data-fieldname=title]').click()",
		".group-by-item",
	),
	"link": (
		f"/app/{SLUG}/{{name}}",
		".timeline-item",
		"cur_frm.fields_dict.mate.$input.val('').focus().trigger('input')",
		".awesomplete li p",
		"cur_frm.fields_dict.lines.grid.grid_rows[0].show_form()",
		".form-in-grid",
	),
	"mail": (f"/app/{SLUG}/{{name}}", ".form-page", "cur_frm.email_doc()", ".modal.show"),
	"quick entry": (
		*LIST,
		f"frappe.ui.form.make_quick_entry({SEEN!r}, null, null, null, true)",
		".modal.show [data-fieldname=mate] input",
		"setTimeout(() => frappe.quick_entry.dialog.fields_dict.mate.$input.focus().val('s').trigger('input'), 900)",
		".modal.show .awesomplete li p",
	),
	"selector": (
		*LIST,
		f"new frappe.ui.form.MultiSelectDialog({{doctype: {SEEN!r}, target: {{}}, setters: {{title: null, note: null}}}})",
		".list-item-container .result-row",
	),
	"card of a link": (
		*LIST,
		f"""
			for (const {{name}} of await frappe.db.get_list({SEEN!r}, {{limit: 50}})) {{
				const args = {{doctype: {SEEN!r}, docname: name}}, card = new frappe.ui.LinkPreview();
				const data = await frappe.xcall('frappe.desk.link_preview.get_preview_data', args);
				Object.assign(card, {{...args, name, href: '/app', element: $('<a>x</a>').appendTo('body')}});
				card.init_preview_popover(data);
				card.element.popover('show');
			}}
		""",
		".link-preview-popover .preview-field",
	),
	"quick list": (
		*LIST,
		f"""frappe.model.with_doctype({SEEN!r}, () => frappe.widget.make_widget({{
			widget_type: 'quick_list', document_type: {SEEN!r}, label: 'x', name: 'x', container: $('.layout-main')
		}}))""",
		".quick-list-item",
	),
	"search": (
		*LIST,
		"frappe.searchdialog.search.init_search('pwned', 'global_search')",
		".search-dialog .result",
	),
	"bar": (
		*LIST,
		"$('#navbar-search').focus().val('pwned').trigger('input')",
		"#awesomplete_list_1, .search-bar li",
	),
	"notifications": (
		*LIST,
		"$('.dropdown-notifications > a, .notifications-icon').first().click()",
		".recent-item .message",
	),
	"log of notifications": ("/app/notification-log", ".list-row"),
	"dashboard": (f"/app/dashboard-view/{OWN}", ".widget .frappe-chart .bar"),
	"print": (f"/app/print/{SEEN}/{{name}}", ".print-preview iframe"),
	"import": ("/app/data-import/{imported}", ".dt-cell"),
}
FRAMED = ("print", "mail")  # what they show is a page within the page, or not there yet
# Of what lies bare in the column these views are seen to run it.
RUNNING = ("images", "board", "sidebar", "selector", "card of a link", "quick list", "report")


@pytest.fixture(scope="module")
def person(desk_site):
	return make_person("Sync Manager", "System Manager")


@pytest.fixture(scope="module")
def made(person):
	"""{address parameter: value} of documents of a device with all texts, and of an import of them."""
	views.ensure()
	names = views.fill(TEXTS)
	views.arrange(person)
	yield {"name": names[TEXTS[-1]], "imported": views.imported()}
	views.remove()


@pytest.fixture(scope="module")
def context(person, desk, browser):
	"""One for all views, which then load no file twice."""
	entered = enter(browser, desk, person).context
	yield entered
	entered.close()


@pytest.fixture
def page(context):
	opened = context.new_page()
	yield opened
	opened.close()


def look(page, made, address, *steps):
	"""What ran on the way through a view, and what stands in it."""
	page.goto(address.format(**made))
	for step, selector in zip(("", *steps[1::2]), steps[::2], strict=True):
		page.evaluate(f"async () => {{ {step} }}")
		page.wait_for_selector(selector, state="attached")
	page.wait_for_timeout(300)
	return stir(page), page.content()


@pytest.mark.parametrize("view", VIEWS)
def test_no_text_runs_in_the_view(view, made, page):
	ran, shown = look(page, made, *VIEWS[view])
	assert ran == [] and ("pwned" in shown or view in FRAMED)


@pytest.mark.parametrize("view", RUNNING)
def test_the_look_notices_what_runs(view, made, page):
	"""What would lie in the column without its form does run, so that the tests above can fail."""
	field = "picture" if view == "report" else "title"
	held = frappe.db.get_value(SEEN, made["name"], field)
	for value, runs in ((TEXTS[-1], True), (held, False)):
		frappe.db.set_value(SEEN, made["name"], field, value, update_modified=False)
		frappe.db.commit()
		assert bool(look(page, made, *VIEWS[view])[0]) == runs


@pytest.fixture(scope="module")
def html_titled(made):
	"""As ToDo has it: the field for rich text is the title. A device pushed all texts again."""
	views.title("story")
	frappe.db.set_value(SEEN, {"name": ["is", "set"]}, "story", "<p>old</p>")
	frappe.db.commit()
	names = views.fill(TEXTS)
	yield {**made, "name": names[TEXTS[-1]]}
	views.title("title")


@pytest.mark.parametrize("view", ("list", *RUNNING))
def test_no_rich_text_runs_that_is_the_title(view, html_titled, page):
	ran, _ = look(page, html_titled, *VIEWS[view])
	assert ran == []


@pytest.mark.parametrize("view", ("images", "board", "card of a link"))
def test_the_look_notices_a_rich_title_that_runs(view, html_titled, page):
	"""One that is clean HTML, as it lay in the column before."""
	held = frappe.db.get_value(SEEN, html_titled["name"], "story")
	for value, runs in ((f"<p>{TEXTS[-1]}</p>", True), (held, False)):
		frappe.db.set_value(SEEN, html_titled["name"], "story", value, update_modified=False)
		frappe.db.commit()
		assert bool(look(page, html_titled, *VIEWS[view])[0]) == runs
