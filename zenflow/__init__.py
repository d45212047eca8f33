"""zenflow: declarative, priced, crash-safe workflows for ZenCreator.

Nothing is imported here: `import zenflow` costs nothing, rooms are imported by name.
"""

__version__ = "0.1.0"
