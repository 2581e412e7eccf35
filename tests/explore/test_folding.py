"""The folding panel: both forms are run, parameters are counted, controls lead and follow."""

import pytest
import traitlets

from cortexsim.explore import Folding


def test_the_two_forms_agree_whatever_is_chosen():
    panel = Folding(steps=3)
    for steps, shared in ((1, True), (5, True), (5, False)):
        panel.steps, panel.shared = steps, shared
        assert panel.difference < 1e-12
        assert f"{panel.difference:.1e}" in panel.numbers.value


def test_shared_weights_stay_as_many_whatever_the_steps_and_others_grow():
    panel = Folding(steps=2)
    shared = panel.n_parameters
    panel.steps = 6
    assert panel.n_parameters == shared
    panel.shared = False
    # five more blocks of two kernels of 8 x 8 x 3 x 3
    assert panel.n_parameters == shared + 5 * 2 * 576


def test_a_difference_would_be_seen(monkeypatch):
    from cortexsim.explore import folding

    class Other(folding.Unfolded):
        def forward(self, images):
            return super().forward(images) + 0.5

    monkeypatch.setattr(folding, "Unfolded", Other)
    assert Folding(steps=1).difference == pytest.approx(0.5)


def test_controls_lead_and_follow():
    panel = Folding(steps=4)
    panel.slider.value = 7
    panel.form.value = False
    assert (panel.steps, panel.folded) == (7, False)
    assert panel.picture.value.count("<rect") == 7
    panel.folded = True
    assert panel.form.value is True
    assert panel.picture.value.count("<rect") == 1


def test_what_goes_wrong_is_shown_in_the_panel(monkeypatch):
    from cortexsim.explore import folding

    panel = Folding()

    def broken(*_, **__):
        raise RuntimeError("no memory left")

    monkeypatch.setattr(folding, "resnet", broken)
    panel.steps = 2
    assert "The two forms could not be compared" in panel.notice.value
    assert "no memory left" in panel.notice.value


def test_steps_beyond_the_slider_are_refused():
    with pytest.raises(traitlets.TraitError):
        Folding(steps=99)
