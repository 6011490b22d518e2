// config/schema.cpp: being written.
