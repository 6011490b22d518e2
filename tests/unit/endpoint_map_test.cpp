// tests/unit/endpoint_map_test.cpp: being written.
