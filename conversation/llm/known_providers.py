"""Providers of models: a new one is an adapter and its line. The first that fits is used."""

from conversation.llm.provider import Provider
from conversation.llm.providers.extractive import EXTRACTIVE_PROVIDER
from conversation.llm.providers.litellm_model import LITELLM

PROVIDERS: tuple[Provider, ...] = (EXTRACTIVE_PROVIDER, LITELLM)
