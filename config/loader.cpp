// config/loader.cpp: being written.
