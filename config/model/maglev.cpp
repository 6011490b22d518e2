// config/model/maglev.cpp: being written.
