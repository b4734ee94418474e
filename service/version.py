"""The version, here too: the image holds the packages without the metadata of an installation."""

VERSION = "0.1.0"
