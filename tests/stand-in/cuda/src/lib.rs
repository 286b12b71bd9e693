//! Stands in for `libcuda.so`.
