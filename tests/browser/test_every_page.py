"""Every page of the daily operation: accessible, complete on any screen, no errors, no requests to other hosts."""

from __future__ import annotations

import pytest

from tests.browser.chrome import Browser
from tests.browser.every_page import OPERATION, check_in_both_themes, check_on_a_phone_in_the_light


@pytest.mark.parametrize("name", OPERATION)
def test_a_page_keeps_wcag_and_its_width_and_its_head_shows_the_worst_state(page: Browser, name: str) -> None:
    check_in_both_themes(page, name, *OPERATION[name])


@pytest.mark.campaign
@pytest.mark.parametrize("name", OPERATION)
def test_a_page_keeps_wcag_on_a_phone_in_the_light_theme_too(page: Browser, name: str) -> None:
    check_on_a_phone_in_the_light(page, name, *OPERATION[name])
