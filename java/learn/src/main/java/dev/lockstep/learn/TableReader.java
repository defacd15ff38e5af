package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.TableFile;
import java.nio.DoubleBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads this rank's rows of a data file; collective where columns hold text. */
public final class TableReader {
  /** Rows that are read at once, or dealt to a rank of a CSV file. */
  static final int BLOCK_ROWS = 1024;

  private final FitDataConfig config;
  private final @Nullable Communicator ranks;
  private final @Nullable LearnedModel model;
  private final int rank;
  private final int size;

  private TableReader(
      FitDataConfig config, @Nullable Communicator ranks, @Nullable LearnedModel model) {
    this.config = config;
    this.ranks = ranks;
    this.model = model;
    rank = ranks == null ? 0 : ranks.rank();
    size = ranks == null ? 1 : ranks.size();
  }

  /**
   * The rows of this rank.
   *
   * @return the table, closed by the caller
   * @throws LearningException if the file cannot be read or lacks a column
   */
  public static Table read(FitDataConfig config, Communicator ranks) {
    return new TableReader(config, ranks, null).read();
  }

  /**
   * The features of a model from a file, all rows of it; texts that the model does not know are
   * missing values.
   *
   * @throws LearningException if the file cannot be read or lacks a column
   */
  public static Table forModel(Path path, LearnedModel model) {
    FitDataConfig config =
        new FitDataConfig(
            path.toString(),
            Format.AUTO,
            null,
            model.features(),
            null,
            null,
            List.of(),
            FitDataConfig.Ownership.LOCAL,
            0);
    return new TableReader(config, null, model).read();
  }

  private Table read() {
    String path = config.pathOf(rank);
    if (isText(path) && config.labels() != null) {
      throw new LearningException(
          "data.labels: "
              + path
              + " is CSV, which has the target in a column of its own; leave labels out");
    }
    return isText(path)
        ? new CsvTableReader(config, ranks, model, Path.of(path)).read()
        : readArrays(Path.of(path));
  }

  private boolean isText(String path) {
    String name = path.toLowerCase(Locale.ROOT);
    return switch (config.format()) {
      case CSV -> true;
      case AUTO -> name.endsWith(".csv") || name.endsWith(".txt");
      default -> false;
    };
  }

  private Table readArrays(Path path) {
    String labels = config.labelsOf(rank);
    try (TableFile file = TableFile.open(path, config.format());
        TableFile second =
            labels == null ? null : TableFile.open(Path.of(labels), config.format())) {
      List<String> features =
          config.features().isEmpty()
              ? config.featuresAmong(file.inputs())
              : config.features().stream().flatMap(name -> file.named(name).stream()).toList();
      String target = config.target();
      if (target != null) {
        target = (second == null ? file : second).column(target);
      }
      if (second == null && target != null && features.contains(target)) {
        throw new LearningException(
            path + ": " + target + " is a feature and the target; leave it out of data.features");
      }
      long begin = 0;
      long end = file.rows();
      if (second != null && second.rows() != end) {
        throw new LearningException(labels + " has " + second.rows() + " rows, not " + end);
      }
      if (config.ownership() == FitDataConfig.Ownership.DEAL) {
        begin = file.rows() * rank / size;
        end = file.rows() * (rank + 1) / size;
      }
      List<List<String>> categories =
          features.stream()
              .map(name -> config.categorical().contains(name) ? CODES : List.<String>of())
              .toList();
      Table table =
          Table.allocate(
              features,
              categories,
              List.of(),
              end - begin,
              target != null,
              config.weight() != null);
      copy(file, features, begin, end, table.values());
      if (target != null) {
        copy(second == null ? file : second, List.of(target), begin, end, table.target());
      }
      if (config.weight() != null) {
        copy(file, List.of(file.column(config.weight())), begin, end, table.weights());
      }
      return table;
    }
  }

  /** Stands for categories that are whole numbers from 0 on and have no texts. */
  static final List<String> CODES = List.of("");

  private static void copy(
      TableFile file, List<String> names, long begin, long end, DoubleBuffer out) {
    double[] block = new double[BLOCK_ROWS * names.size()];
    for (long from = begin; from < end; from += BLOCK_ROWS) {
      int count = (int) Math.min(BLOCK_ROWS, end - from);
      file.read(names, from, count, block);
      out.put(block, 0, count * names.size());
    }
  }
}
