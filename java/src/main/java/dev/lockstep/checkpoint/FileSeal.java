package dev.lockstep.checkpoint;

/**
 * What a manifest knows of a file, to tell whether it is still the one that was written.
 *
 * @param bytes the file's length
 * @param sha256 the hash of its content, lower-case hexadecimal
 */
record FileSeal(long bytes, String sha256) {}
