// tests/unit/paths_test.cpp: being written.
