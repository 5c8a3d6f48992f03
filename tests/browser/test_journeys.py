"""What people do: sign in, launch, watch a Run, read its log, drill down to one Attempt, choose a theme, use keys."""

from __future__ import annotations

import re
from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from qstudio.runs.models import Iteration, Run
from tests.browser.conftest import AXE, Watched
from tests.qstudio.world import World, log_line


def test_a_wrong_password_is_said_in_one_sentence(browser, live_server, world: World):
    page = browser.new_context().new_page()
    page.goto(f"{live_server.url}/runs/")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("do not match")


def test_a_wrong_setting_is_refused_and_a_right_one_starts_a_run(world: World, window: Watched):
    page = window.open("/runs/new/?preset=smoke")
    page.get_by_label("Name").fill("my first run")
    page.locator("summary", has_text="Sampling").click()
    k = page.locator("#set-sampling-k")
    k.fill("zero")
    k.blur()
    expect(page.locator("#set-sampling-k-error")).to_contain_text("'zero' does not work")
    page.get_by_role("button", name="Start Run").click()
    expect(page.get_by_role("alert")).to_contain_text("sampling.k")
    k.fill("3")
    k.blur()
    expect(page.locator("#set-sampling-k-mark")).to_contain_text("was 2")
    expect(page.locator("#launch-command")).to_contain_text("--set sampling.k=3")
    page.get_by_role("button", name="Start Run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("my first run")
    run = Run.objects.get(name="my first run")

    assert run.config["sampling"]["k"] == 3
    assert run.owner == world.user
    # The one error is the deliberate answer 422 to the form that could not start.
    assert [fault for fault in window.all_faults() if "422" not in fault] == []


def test_a_running_run_shows_changes_without_a_reload(world: World, window: Watched):
    page = window.open(f"/runs/{world.running.key}/")
    expect(page.locator(".sentence")).to_contain_text("7 of 16")
    page.evaluate("window.isSamePage = true")
    page.get_by_text("Table").first.click()
    Iteration.objects.create(
        run=world.running,
        index=2,
        attempted=13,
        newly_solved=6,
        solved_total=17,
        problems_total=24,
        train_rows=290,
    )
    Run.objects.filter(pk=world.running.pk).update(done=12, stage="sft", total=40)
    expect(page.locator(".sentence")).to_contain_text("12 of 40")
    expect(page.get_by_role("region", name="Ledger of Iterations")).to_contain_text("290")
    expect(page.locator("#chart-growth-title")).to_have_text("4 seeds became 17 solved Problems")
    expect(page.locator("#chart-growth .xtick")).to_have_count(3)
    expect(page.locator("#milestones")).to_contain_text("fine-tuning")
    expect(page).to_have_title(re.compile("30 %"))
    is_open = page.evaluate("document.querySelector('details details').open")
    after_swap = Axe().run(page, options=AXE).response["violations"]
    Run.objects.filter(pk=world.running.pk).update(state="succeeded")
    expect(page.locator("h1 + .status")).to_contain_text("succeeded")
    expect(page.locator("[data-live]")).to_have_count(0)

    assert is_open
    assert [violation["id"] for violation in after_swap] == []
    assert page.evaluate("window.isSamePage")
    assert window.all_faults() == []


def test_the_log_grows_by_itself_and_older_lines_come_on_request(world: World, window: Watched):
    for number in range(3000):
        log_line(world.running, f"filler {number} " + "x" * 60)
    page = window.open(f"/runs/{world.running.key}/log/")
    lines = page.locator("#log-lines")
    expect(lines).to_contain_text("filler 2999")
    log_line(world.running, "a new line <b>not bold</b>")
    expect(lines).to_contain_text("a new line <b>not bold</b>")
    before = lines.locator("> div").count()
    page.get_by_role("link", name="Load older lines").click()
    expect(lines.locator("> div").nth(before + 100)).to_be_attached()
    log_line(world.running, "ERROR: one more")
    expect(lines.locator(".is-error")).to_have_text("ERROR: one more")
    texts = lines.locator("> div").all_text_contents()

    assert len(texts) == len(set(texts)), "no line is shown twice"
    assert window.all_faults() == []


def test_from_a_number_down_to_the_evidence_of_one_attempt(world: World, window: Watched):
    page = window.open(f"/runs/{world.finished.key}/")
    page.get_by_role("link", name="See what failed").click()
    page.get_by_role("link", name=re.compile("^wrong answer")).click()
    page.get_by_role("region", name="Attempts", exact=True).get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Tests", exact=True)).to_be_visible()
    expect(page.get_by_text("a float where a long is expected")).to_be_visible()
    first = page.url
    page.get_by_role("link", name="Next").click()
    expect(page).not_to_have_url(first)
    page.get_by_role("link", name="Previous").click()
    expect(page).to_have_url(first)

    assert window.all_faults() == []


def test_the_theme_is_chosen_and_kept(world: World, window: Watched):
    page = window.open("/runs/")
    page.get_by_text("Theme").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_text("Theme").click()
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert dark != light
    assert page.url.endswith("/runs/")


def test_keys_move_about_and_rest_while_typing(world: World, window: Watched):
    page = window.open("/problems/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("/")
    page.keyboard.type("gr?")
    expect(page.get_by_label("Search Problems")).to_have_value("gr?")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")

    assert second is not None and second.startswith("/problems/")


def test_everything_reads_without_scripts(world: World, open_window: Callable[..., Watched]):
    window = open_window(java_script_enabled=False)
    page = window.page
    for path in ("/", f"/runs/{world.finished.key}/", "/iterations/"):
        page.goto(f"{window.address}{path}")
        page.locator("summary", has_text="Table").last.click()
        expect(page.locator("table").last).to_be_visible()
    page.goto(f"{window.address}/problems/")
    page.get_by_label("Search Problems").fill("maximum")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("caption", has_text="10 Problems")).to_be_visible()
    page.goto(f"{window.address}/runs/{world.running.key}/log/")
    expect(page.get_by_text("INFO the process began")).to_be_visible()
    page.goto(f"{window.address}/runs/new/?preset=smoke")
    page.locator("#set-seed").fill("-1")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#set-seed-error")).to_contain_text("greater than or equal to 0")
