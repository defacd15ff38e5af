package dev.lockstep.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** Size, colour and a column of noise make a price class; some fields are empty. */
final class TreeRows {
  static final String HEADER = "size,colour,noise,price";
  static final List<String> CLASSES = List.of("cheap", "dear", "fair");

  private TreeRows() {}

  static List<String> lines(int count) {
    Random random = new Random(11);
    String[] colours = {"red", "green", "blue"};
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      double size = random.nextInt(40);
      String colour = colours[random.nextInt(3)];
      double value = size + (colour.equals("green") ? 20 : 0);
      String known = random.nextInt(10) == 0 ? "" : String.format(Locale.ROOT, "%.1f", size);
      rows.add(
          String.format(
              Locale.ROOT,
              "%s,%s,%.2f,%s",
              known,
              colour,
              random.nextDouble(),
              value > 40 ? "dear" : value > 20 ? "fair" : "cheap"));
    }
    return rows;
  }

  /** How many of the rows have the class that a line of predictions names. */
  static int right(List<String> rows, List<String> predictions) {
    int right = 0;
    for (int i = 0; i < rows.size(); i++) {
      int predicted = (int) Double.parseDouble(predictions.get(i + 1).split(",")[1]);
      right += rows.get(i).endsWith(CLASSES.get(predicted)) ? 1 : 0;
    }
    return right;
  }
}
