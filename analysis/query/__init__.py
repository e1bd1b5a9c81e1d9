"""Questions by SQL, exports, and where a number comes from."""
