package dev.lockstep.data.field;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Missing;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.PointSet;
import dev.lockstep.data.Split;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Samples that are arrays: for every element of the dimensions that count, channels on the grid of
 * the others. Values are read as they are asked for and kept in a cache of bounded size.
 *
 * <p>A row of features holds one channel after the other, each in C order of its cells; anomalies
 * and logarithms are taken already, and missing values are NaN where {@code data.missing} is {@code
 * mask}. Thread-safe: reading is serialised.
 */
public final class FieldDataset implements Dataset {
  private final ArrayFile file;
  private final DataConfig config;
  private final Grid grid;
  private final Seasons seasons;
  private final List<Channel> features;
  private final List<Channel> targets;
  private final Map<String, String> units;
  private final List<String> targetVariables;
  private final PointSet kept;
  private final Split split;
  private final TrainingPoints training;
  private final double[] cellWeights;
  private final Regions regions;
  private final double[] targetWeights;
  private final double[] scratch;

  /** The channels that are the same in every sample, read once; empty arrays for the others. */
  private final double[][] constant;

  /**
   * Opens the samples that a configuration names. Reads every value once to find those that are
   * missing, and again for a climatology.
   *
   * @param file is closed with the data set
   * @param cacheBytes limit of the values kept in memory
   * @throws IllegalArgumentException if the file does not have what the configuration asks for
   * @throws DataException if it cannot be read, or no sample is complete
   */
  public FieldDataset(ArrayFile file, DataConfig config, long cacheBytes) {
    this(file, config, cacheBytes, null);
  }

  /**
   * For a prediction.
   *
   * @param recipe of the training, whose climatologies are taken; null to measure them
   */
  FieldDataset(ArrayFile file, DataConfig config, long cacheBytes, @Nullable FieldRecipe recipe) {
    this.file = file;
    this.config = config;
    double loneStep = recipe == null ? Double.NaN : recipe.stepSeconds();
    Sources sources = new Sources(file, config, cacheBytes, loneStep);
    grid = sources.grid();
    units = Map.copyOf(sources.units());
    if (recipe != null) {
      recipe.requireGrid(file.location(), grid);
    }
    seasons = recipe == null ? Seasons.of(grid) : recipe.seasons();
    Channels channels =
        new Channels(
            file.location(), config, sources, recipe == null ? null : recipe.climatologyValues());
    kept = new Completeness(grid, config.missing()).points(channels.features(), channels.targets());
    if (kept.size() == 0) {
      throw new DataException(
          file.location(),
          "holds no sample with all its features and targets: "
              + grid.describe()
              + "; see data.missing, lags and leads");
    }
    FieldSplit choice = new FieldSplit(grid, config, kept, channels.targets());
    choice.requireWholeSteps(channels);
    split = choice.split();
    training = choice.training();
    channels.addClimatologies(seasons, training);
    features = channels.features();
    targets = channels.targets();
    targetVariables = channels.targetVariables();
    regions = sources.regions();
    targetWeights = targetWeights(config, targetVariables);
    scratch = new double[grid.cells()];
    constant = new double[features.size()][];
    cellWeights =
        CellWeights.scaled(
            sources.weights(),
            config.missing(),
            targets.size(),
            grid.cells(),
            split.train(),
            (sample, row) -> readTargets(point(sample), row, 0));
  }

  @Override
  public long size() {
    return kept.size();
  }

  @Override
  public List<String> featureNames() {
    return features.stream().map(Channel::name).toList();
  }

  @Override
  public List<String> targetNames() {
    return targets.stream().map(Channel::name).toList();
  }

  @Override
  public List<FeatureConfig> recipe() {
    return config.features();
  }

  @Override
  public Map<String, String> units() {
    return units;
  }

  @Override
  public int cells() {
    return grid.cells();
  }

  @Override
  public long[] featureShape() {
    return shape(features.size());
  }

  @Override
  public long[] targetShape() {
    return shape(targets.size());
  }

  private long[] shape(int channels) {
    if (config.shape().contains(Grid.FLAT)) {
      return new long[] {(long) channels * cells()};
    }
    long[] shape = new long[1 + grid.inside().size()];
    shape[0] = channels;
    for (int d = 1; d < shape.length; d++) {
      shape[d] = grid.inside().get(d - 1).length();
    }
    return shape;
  }

  @Override
  public double[] cellWeights() {
    return cellWeights.clone();
  }

  @Override
  public double[] targetWeights() {
    return targetWeights.clone();
  }

  /** Of each channel, scaled to a mean of 1; empty if they are equal. */
  private static double[] targetWeights(DataConfig config, List<String> targetVariables) {
    Map<String, Double> given = new HashMap<>();
    config.targets().forEach(target -> given.put(target.variable(), target.weight()));
    double[] weights =
        targetVariables.stream().mapToDouble(name -> given.getOrDefault(name, 1.0)).toArray();
    double mean = Arrays.stream(weights).average().orElse(1);
    if (Arrays.stream(weights).allMatch(weight -> weight == mean)) {
      return new double[0];
    }
    return Arrays.stream(weights).map(weight -> weight / mean).toArray();
  }

  /** How many classes {@code classes} makes of the first target that has it; 0 without. */
  public int classes() {
    return config.targets().stream()
        .map(target -> target.classes().size())
        .filter(edges -> edges > 0)
        .findFirst()
        .map(edges -> edges + 1)
        .orElse(0);
  }

  /** How the values of each target are brought to the network's scale. */
  public List<Normalization> targetNormalizations() {
    return targets.stream().map(Channel::normalization).toList();
  }

  @Override
  public Split split(DataConfig ignored) {
    return split;
  }

  @Override
  public Normalizer.Pair normalizers(long[] samples, Communicator communicator) {
    return FieldNormalizer.fit(
        this,
        features.stream().map(Channel::normalization).toList(),
        targets.stream().map(Channel::normalization).toList(),
        samples,
        communicator.rank(),
        communicator.size(),
        communicator::allGather);
  }

  @Override
  public synchronized void read(
      long[] indices, int from, int count, double[] featureRows, double[] targetRows) {
    Objects.checkFromIndexSize(from, count, indices.length);
    int cells = cells();
    Objects.checkFromIndexSize(0, count * features.size() * cells, featureRows.length);
    Objects.checkFromIndexSize(0, count * targets.size() * cells, targetRows.length);
    for (int i = 0; i < count; i++) {
      long point = point(indices[from + i]);
      for (int c = 0; c < features.size(); c++) {
        int at = (i * features.size() + c) * cells;
        readFeature(c, point, featureRows, at);
        requireKnown(features.get(c), grid.stepOf(point), featureRows, at);
      }
      readTargets(point, targetRows, i * targets.size() * cells);
      for (int c = 0; c < targets.size(); c++) {
        requireKnown(
            targets.get(c), grid.stepOf(point), targetRows, (i * targets.size() + c) * cells);
      }
    }
  }

  /** Complete samples lack a value only where the training steps have no mean of the season. */
  void requireKnown(Channel channel, int step, double[] row, int at) {
    if (config.missing() == Missing.MASK) {
      return;
    }
    for (int i = at; i < at + cells(); i++) {
      if (Double.isNaN(row[i])) {
        throw new DataException(
            file.location(),
            channel.name()
                + " has no climatology for step "
                + step
                + ": no training sample lies in its month; train on all months that are used, or"
                + " set normalize: mean_std");
      }
    }
  }

  private void readFeature(int index, long point, double[] out, int at) {
    Channel channel = features.get(index);
    if (!channel.source().isStatic()) {
      channel.read(grid, grid.stepOf(point), grid.laneOf(point), out, at, scratch);
      return;
    }
    if (constant[index] == null) {
      constant[index] = new double[cells()];
      channel.read(grid, 0, 0, constant[index], 0, scratch);
    }
    System.arraycopy(constant[index], 0, out, at, cells());
  }

  private void readTargets(long point, double[] out, int at) {
    for (int c = 0; c < targets.size(); c++) {
      targets
          .get(c)
          .read(grid, grid.stepOf(point), grid.laneOf(point), out, at + c * cells(), scratch);
    }
  }

  /**
   * Turns a sample's targets, as {@link #read} gives them or a network predicts them, into the
   * variables' own numbers, in place.
   */
  public void restoreTargets(long sample, double[] row, int at) {
    long point = point(sample);
    for (int c = 0; c < targets.size(); c++) {
      targets.get(c).restore(grid, grid.stepOf(point), grid.laneOf(point), row, at + c * cells());
    }
  }

  @Override
  public long point(long sample) {
    return kept.select(sample);
  }

  @Override
  public String description() {
    return size()
        + " fields in "
        + file.location()
        + ", "
        + file.format()
        + ", "
        + grid.describe()
        + (cells() == 1 ? "" : " = " + cells() + " cells");
  }

  /** The variable of each target channel. */
  public List<String> targetVariables() {
    return List.copyOf(targetVariables);
  }

  /** When a sample's target is, such as 1991-03-16; empty for samples without times. */
  public String targetTime(long sample, int channel) {
    int step = grid.stepOf(point(sample)) + targets.get(channel).last();
    return grid.time()
        .map(axis -> axis.date(step))
        .map(d -> String.format(Locale.ROOT, "%04d-%02d-%02d", d.year(), d.month(), d.day()))
        .orElse("");
  }

  /** The parts of the grid that {@code data.regions} names. */
  public Regions regions() {
    return regions;
  }

  /** What a model that was trained on these samples keeps; reads the targets where some lack. */
  public synchronized FieldRecipe fieldRecipe() {
    return FieldRecipe.of(this, file);
  }

  Grid grid() {
    return grid;
  }

  Seasons seasons() {
    return seasons;
  }

  List<Channel> features() {
    return features;
  }

  List<Channel> targets() {
    return targets;
  }

  TrainingPoints training() {
    return training;
  }

  DataConfig config() {
    return config;
  }

  @Override
  public synchronized void close() {
    file.close();
  }
}
