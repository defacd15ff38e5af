package dev.lockstep.federated.population;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A partition in a text file: a line for each client, sample numbers with spaces or commas between.
 */
final class GivenPartition {
  private GivenPartition() {}

  /**
   * Reads one. Not all training samples need be given.
   *
   * @param clients how many lines there must be; 0 for any
   * @param training ascending
   * @throws ConfigKeyException if it cannot be read, or has a sample that is not for training, or
   *     has it twice
   */
  static List<long[]> read(Path file, int clients, long[] training) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
    } catch (IOException e) {
      throw refused(file, "cannot be read (" + DurableFiles.reason(e) + ")");
    }
    if (lines.isEmpty() || clients > 0 && lines.size() != clients) {
      throw refused(file, "has " + lines.size() + " lines for " + clients + " clients");
    }
    boolean[] given = new boolean[training.length];
    List<long[]> samples = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      samples.add(line(file, i + 1, lines.get(i), training, given));
    }
    return samples;
  }

  private static long[] line(Path file, int number, String line, long[] training, boolean[] given) {
    String[] words = line.strip().split("[\\s,]+");
    long[] samples = new long[words.length];
    for (int i = 0; i < words.length; i++) {
      try {
        samples[i] = Long.parseLong(words[i]);
      } catch (NumberFormatException e) {
        throw refused(file, "has " + words[i] + " in line " + number + ", which is no sample");
      }
      int place = Arrays.binarySearch(training, samples[i]);
      if (place < 0) {
        throw refused(
            file,
            "has sample " + samples[i] + " in line " + number + ", which is not for training");
      }
      if (given[place]) {
        throw refused(file, "has sample " + samples[i] + " a second time in line " + number);
      }
      given[place] = true;
    }
    return samples;
  }

  private static ConfigKeyException refused(Path file, String what) {
    return new ConfigKeyException("partition", "file " + file + " " + what);
  }
}
