"""The composition root: the only room that builds adapters and knows both engine and adapters."""
