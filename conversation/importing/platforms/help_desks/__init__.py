"""Conversations of help desks: Intercom, Zendesk (tickets, messaging, chats), Chatwoot."""
