"""HTTP routes: one module for each resource, each with a `router` that `server.app` includes."""
