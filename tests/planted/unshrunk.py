"""A plugin of pytest: failures that Hypothesis finds are not made small, which takes minutes."""

from hypothesis import Phase, settings

settings.register_profile("planted", phases=(Phase.explicit, Phase.reuse, Phase.generate))
settings.load_profile("planted")
