"""What to watch next, and what was watched."""

from reelm.feed import models
from reelm.feed.acts import MOST_ACTS, Act, signals_of
from reelm.feed.cursor import Tab
from reelm.feed.explain import Explanation, Reason, explain, explain_unprofiled, unexplained
from reelm.feed.first_served import FirstServed, first_served
from reelm.feed.following import FollowingPage, following
from reelm.feed.hidden import After, Hidden, HiddenKind, hidden, hide, show_again
from reelm.feed.history import History, WatchedVideo, forget_watched, history
from reelm.feed.model_file import (
    ModelFacts,
    check_model,
    export_model,
    install_model,
    remove_uninstalled,
    uninstall_models,
)
from reelm.feed.recommend import Page, Wanted, recommend, recommend_all, shows_any
from reelm.feed.reset import forget_signals, reset
from reelm.feed.settings import (
    FeedSettings,
    SettingsChange,
    change_settings,
    default_settings,
    feed_settings,
    settings_of,
    topic_of,
)
from reelm.feed.signals import Kind, Signal
from reelm.feed.topics import Offer, Offers, Used
from reelm.feed.trained import TrainedModel, trained_model
from reelm.feed.unprofiled import PopularPage, popular
from reelm.feed.watch import MAX_BATCH, Told, Watched, count_watches, watches_of, watches_of_all
from reelm.feed.weights import HEADS, SLOTS, SOURCES

__all__ = [
    "HEADS",
    "MAX_BATCH",
    "MOST_ACTS",
    "SLOTS",
    "SOURCES",
    "Act",
    "After",
    "Explanation",
    "FeedSettings",
    "FirstServed",
    "FollowingPage",
    "Hidden",
    "HiddenKind",
    "History",
    "Kind",
    "ModelFacts",
    "Offer",
    "Offers",
    "Page",
    "PopularPage",
    "Reason",
    "SettingsChange",
    "Signal",
    "Tab",
    "Told",
    "TrainedModel",
    "Used",
    "Wanted",
    "Watched",
    "WatchedVideo",
    "change_settings",
    "check_model",
    "count_watches",
    "default_settings",
    "explain",
    "explain_unprofiled",
    "export_model",
    "feed_settings",
    "first_served",
    "following",
    "forget_signals",
    "forget_watched",
    "hidden",
    "hide",
    "history",
    "install_model",
    "models",
    "popular",
    "recommend",
    "recommend_all",
    "remove_uninstalled",
    "reset",
    "settings_of",
    "show_again",
    "shows_any",
    "signals_of",
    "topic_of",
    "trained_model",
    "unexplained",
    "uninstall_models",
    "watches_of",
    "watches_of_all",
]
