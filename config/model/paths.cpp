// config/model/paths.cpp: being written.
