package dev.lockstep.files;

/**
 * What a manifest knows of a file, to tell whether it is still the one that was written.
 *
 * @param bytes the file's length
 * @param sha256 the hash of its content, lower-case hexadecimal
 */
public record FileSeal(long bytes, String sha256) {}
