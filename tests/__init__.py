"""Tests; a package of its own name, since others (dcase_util, openSMILE) install one that is called tests, too."""
