"""Texts that are no markup, texts that would run, and fields that hold HTML for a while."""

from contextlib import contextmanager

import frappe

from hisabi_sync.engine.entities import entity_types

RUN = "window.pwned=1"
# What a page would run that shows it as it is; each in a form that some check takes for harmless.
PAYLOADS = (
	f"<img src=x onerror={RUN}>",
	f'"<img src=x onerror={RUN}>"',
	f'["<img src=x onerror={RUN}>"]',
	f'{{"a": "<img src=x onerror={RUN}>"}}',
	f"<svg/onload={RUN}>",
	f"<svg/onload={RUN}//",
	f"&lt;img src=x onerror={RUN}&gt;",
	f'x" onmouseover="{RUN}" autofocus onfocus="{RUN}" x=\'',
)
# What ends the attribute that a page puts it into, and begins one that runs.
ATTRIBUTES = (
	f'red;position:fixed;inset:0;z-index:99999" onmouseover="{RUN}',
	f'x" onmouseover="{RUN}',
	f'http://x.example/" onmouseover="{RUN}" style="position:fixed;inset:0',
	f"x' onmouseover='{RUN}",
	f"x`\" onfocus={RUN} autofocus tabindex=0 onmouseenter={RUN} x='`",
)
# What a page would run that turns entities into signs and then shows what it got as it is.
ENTITIES = (
	f"&#60;img src=x onerror={RUN}>",
	f"&ltimg src=x onerror={RUN}>",
	f"&amp;lt;img src=x onerror={RUN}>",
	f"x&quot; onmouseover={RUN} onload={RUN} y=&#x22;",
	f'x" onmouseover&equals;{RUN} onload&#61;{RUN} "',
)
# What begins an attribute with a text that stands on the page behind it.
SPLIT = ('x" y=', f" onmouseover={RUN} ")
# What people write, and what a cleaner of HTML makes something else of.
WRITTEN = (
	"if a<b and c>d then",
	"a<b",
	"a &lt; b &amp;lt; c &gt; d & e",
	"Ali <ali@shop.example>, Vec<int> <unknown>",
	"1 < 2 <3 <",
	"<!-- not a comment --> <?php ?> </b>",
	"  spaces, tabs\t and\nlines  ",
	'He said "x=1", it\'s `a=b`',
	"a\u2060 <\u2060b \u2060”x=1\u2060\u2060’ &\u2060lt;",
	*PAYLOADS,
	*ATTRIBUTES,
	*ENTITIES,
	*SPLIT,
)
HTML = '<p onclick="x()">Fish &amp; <b>chips</b></p><script>y()</script>'


@contextmanager
def as_html(doctype, fieldname):
	"""While it lasts, the field is one of a text editor."""
	values = {"doctype": doctype, "fieldname": fieldname, "property": "fieldtype", "value": "Text Editor"}
	frappe.set_user("Administrator")
	frappe.make_property_setter({**values, "property_type": "Data"}, is_system_generated=False)
	_settle(doctype)
	try:
		yield
	finally:
		frappe.set_user("Administrator")
		frappe.db.rollback()
		frappe.db.delete(
			"Property Setter", {"doc_type": doctype, "field_name": fieldname, "property": "fieldtype"}
		)
		_settle(doctype)


def _settle(doctype):
	frappe.clear_cache(doctype=doctype)
	entity_types.forget()
	frappe.db.commit()
	entity_types.forget()
