/*
 * The appliance as it is shipped, on an emulated board: set up from its medium, synced, asked, cut off from its line and its power, and
 * opened; everything is seen from outside. XINBIAN_CUTS: how often the power is cut (3). The seed is printed; XINBIAN_SEED gives it.
 */
#include "tests/board/box.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MORE 300 /* entries a version */

static void a_new_box_enrols_from_its_medium_syncs_and_answers(void)
{
	if (!box_ready())
		return;
	CU_ASSERT_STRING_EQUAL(box_check(0), "refuse");
	CU_ASSERT_STRING_EQUAL(box_check(BOX_ENTRIES + 1), "enhanced");
	printf("[%.0f s from power on] ", box.enrolled_s);
}

static bool line_is_now(unsigned line)
{
	return (vm_lines(&box.vm) >> line & 1U) != 0;
}
static bool line_is(unsigned line, bool high)
{
	for (int64_t until_ms = now_ms() + BOX_LAMP_MS; now_ms() < until_ms; sleep_ms(50))
		if (line_is_now(line) == high)
			return true;
	return false;
}

static void its_lamps_show_line_and_decisions_on_the_controllers_own_lines(void)
{
	if (!box_ready())
		return;
	CU_ASSERT_TRUE(line_is(VM_LINK, true));
	CU_ASSERT_STRING_EQUAL(box_check(0), "refuse");
	CU_ASSERT_TRUE(line_is(VM_RED, true));
	CU_ASSERT_TRUE(line_is(VM_GREEN, false));
	CU_ASSERT_TRUE(line_is(VM_RED, false));
	CU_ASSERT_TRUE(line_is(VM_HEARTBEAT, true));
	CU_ASSERT_TRUE(line_is(VM_HEARTBEAT, false));
}

static void without_its_line_it_answers_and_reports_later(void)
{
	if (!box_ready())
		return;
	int64_t before = world_decisions(&box.w, box.branch);
	world_broker_stop(&box.w, SIGKILL);
	CU_ASSERT_TRUE(line_is(VM_LINK, false));
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_STRING_EQUAL(box_check(i), "refuse");
	world_broker_start(&box.w);
	CU_ASSERT_TRUE(world_wait_decisions(&box.w, box.branch, before + 3, BOX_WAIT_MS));
	CU_ASSERT_TRUE(line_is(VM_LINK, true));
}

/* A version with more entries is published, checks are asked while it arrives, and the power goes in between. */
static void cut_once(unsigned entries)
{
	box_publish(entries);
	int64_t cut_ms = now_ms() + (int64_t)(box_random() % 4000);
	while (now_ms() < cut_ms)
		box_ask((unsigned)(box_random() % (entries + 1000)));
	vm_cut(&box.vm);
	vm_start(&box.vm);
	CU_ASSERT_TRUE_FATAL(box_wait_up());
	CU_ASSERT_STRING_EQUAL(box_check(0), "refuse"); /* whichever version it has, it has it whole */
	CU_ASSERT_EQUAL(box_count_lost(), 0);
	CU_ASSERT_TRUE(world_wait_applied(&box.w, box.branch, LIST, box.version, BOX_WAIT_MS));
	CU_ASSERT_STRING_EQUAL(box_check(entries - 1), "refuse");
}

static void whenever_its_power_is_cut_no_answer_is_lost_and_a_whole_list_answers(void)
{
	if (!box_ready())
		return;
	const char *wanted = getenv("XINBIAN_CUTS");
	unsigned cuts = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : 3;
	for (unsigned i = 1; i <= cuts; i++)
		cut_once(BOX_ENTRIES + i * MORE);
	printf("[%u cuts, %zu answers, seed %u] ", cuts, box.answers_len, box.seed);
	CU_ASSERT_TRUE(box.answers_len > cuts);
}

static void a_medium_of_another_central_is_refused_and_changes_nothing(void)
{
	if (!box_ready())
		return;
	vm_cut(&box.vm);
	box_medium_put("", "broker.pem"); /* any other certificate */
	vm_start(&box.vm);
	CU_ASSERT_TRUE_FATAL(box_wait_refused("belongs to another central"));
	CU_ASSERT_TRUE_FATAL(box_wait_up());
	CU_ASSERT_STRING_EQUAL(box_check(0), "refuse");
	box_publish(BOX_ENTRIES + MORE / 2); /* and from its own central it still hears */
	CU_ASSERT_TRUE(world_wait_applied(&box.w, box.branch, LIST, box.version, BOX_WAIT_MS));
}

/* The line is pulsed until the red lamp says that it is locked: a pulse may go by before the box looks, or within its debounce. */
static void opened_until_locked(int64_t for_ms)
{
	for (int64_t until_ms = now_ms() + for_ms; now_ms() < until_ms && !line_is_now(VM_RED); sleep_ms(300))
		vm_pulse(&box.vm);
	CU_ASSERT_TRUE(box_wait_check("503"));
}

static void is_wiped_and_enrols_again(void)
{
	vm_cut(&box.vm);
	CU_ASSERT_TRUE(box_key_is_zeros());
	box_medium_put("", "ca.pem");
	vm_start(&box.vm);
	CU_ASSERT_TRUE_FATAL(box_wait_enrolled());
	CU_ASSERT_TRUE(box_wait_check("refuse"));
}

static void once_opened_it_wipes_its_keys_and_answers_nothing_until_it_is_enrolled_again(void)
{
	if (!box_ready())
		return;
	CU_ASSERT_TRUE(line_is(VM_RED, false)); /* of the last check */
	opened_until_locked(BOX_LAMP_MS);
	CU_ASSERT_TRUE(box_central_says_tampered());
	is_wiped_and_enrols_again();
}

static void opened_while_it_boots_it_is_wiped_all_the_same(void)
{
	if (!box_ready())
		return;
	vm_cut(&box.vm);
	vm_start(&box.vm);
	opened_until_locked(BOX_WAIT_MS);
	is_wiped_and_enrols_again();
}

static CU_TestInfo tests[] = {
	{ "a new box enrols from its medium, syncs and answers", a_new_box_enrols_from_its_medium_syncs_and_answers },
	{ "its lamps show line and decisions on the controller's own lines",
	  its_lamps_show_line_and_decisions_on_the_controllers_own_lines },
	{ "without its line it answers, and reports later", without_its_line_it_answers_and_reports_later },
	{ "whenever its power is cut no answer is lost and a whole list answers",
	  whenever_its_power_is_cut_no_answer_is_lost_and_a_whole_list_answers },
	{ "a medium of another central is refused and changes nothing",
	  a_medium_of_another_central_is_refused_and_changes_nothing },
	{ "once opened it wipes its keys and answers nothing until it is enrolled again",
	  once_opened_it_wipes_its_keys_and_answers_nothing_until_it_is_enrolled_again },
	{ "opened while it boots it is wiped all the same", opened_while_it_boots_it_is_wiped_all_the_same },
	CU_TEST_INFO_NULL,
};
SUITE(appliance, NULL, NULL, tests);
