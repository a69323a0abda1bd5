import { Screen } from "./conflict/screen";
import { run, runOn, follow, refreshList, report, settleMany, dismissMany } from "./conflict/bulk";
import { call, refuse } from "./conflict/api";

frappe.provide("hisabi_sync");

/** Shows the three-way table in a form of Sync Conflict; one screen a form, filled anew on every refresh. */
hisabi_sync.show_conflict = (frm) => {
	frm.hisabi_screen = frm.hisabi_screen || new Screen(frm);
	return frm.hisabi_screen.show();
};

Object.assign(hisabi_sync, { call, refuse, run_many: run, run_on: runOn, follow_job: follow, refresh_list: refreshList, report_rows: report, settle_many: settleMany, dismiss_many: dismissMany });
