"""The documentation as web pages: the list of documents, and the conversion from Markdown to HTML. Without Flask."""
