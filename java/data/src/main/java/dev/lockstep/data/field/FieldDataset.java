package dev.lockstep.data.field;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.FeatureConfig.Function;
import dev.lockstep.data.GivenAnswers;
import dev.lockstep.data.Missing;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.PointSet;
import dev.lockstep.data.Split;
import dev.lockstep.data.TargetConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

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
  private final Map<String, String> units = new LinkedHashMap<>();
  private final List<String> targetVariables = new ArrayList<>();
  private final PointSet kept;
  private final Split split;
  private final boolean[] trainingSteps;
  private final double[] cellWeights;
  private final double[] scratch;
  private final boolean weighted;

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
    this(file, config, cacheBytes, Map.of());
  }

  /**
   * For a prediction.
   *
   * @param climatologies those of the training, by the name of the source; measured if empty
   */
  FieldDataset(
      ArrayFile file, DataConfig config, long cacheBytes, Map<String, double[]> climatologies) {
    this.file = file;
    this.config = config;
    Sources sources = new Sources(file, config, cacheBytes);
    grid = sources.grid();
    seasons = Seasons.of(grid);
    units.putAll(sources.units());
    List<Channel> plainFeatures = new ArrayList<>();
    List<Channel> plainTargets = new ArrayList<>();
    config.features().forEach(f -> plainFeatures.addAll(featureChannels(f, sources)));
    for (TargetConfig target : config.targets()) {
      List<Channel> channels = targetChannels(target, sources);
      plainTargets.addAll(channels);
      channels.forEach(channel -> targetVariables.add(target.variable()));
    }
    requireStep(plainFeatures, plainTargets);
    requireUnknownTargets(plainFeatures, plainTargets);
    kept = new Completeness(grid, config.missing()).points(plainFeatures, plainTargets);
    if (kept.size() == 0) {
      throw new DataException(
          file.location(),
          "holds no sample with all its features and targets: "
              + grid.describe()
              + "; see data.missing, lags and leads");
    }
    FieldSplit choice = new FieldSplit(grid, config, kept, plainTargets);
    split = choice.split();
    trainingSteps = choice.trainingSteps();
    Map<Source, Climatology> measured = new HashMap<>();
    features = withClimatologies(plainFeatures, measured, climatologies);
    targets = withClimatologies(plainTargets, measured, climatologies);
    scratch = new double[grid.cells()];
    constant = new double[features.size()][];
    double[] weights = sources.weights();
    weighted = weights.length > 0 || config.missing() == Missing.MASK;
    cellWeights = weights.length > 0 || !weighted ? weights : ones(grid.cells());
    scaleWeights();
  }

  private static double[] ones(int count) {
    double[] ones = new double[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  private List<Channel> featureChannels(FeatureConfig feature, Sources sources) {
    Normalization kind =
        feature.normalize() != null
            ? feature.normalize()
            : feature.function() == Function.VALUE ? config.normalize() : Normalization.NONE;
    List<Channel> channels = new ArrayList<>();
    for (Source source : sources.of(feature)) {
      // Static fields have no season.
      Normalization own =
          source.isStatic() && kind == Normalization.ANOMALY ? Normalization.MEAN_STD : kind;
      for (int lag : feature.lags()) {
        String name = Channel.name(source.name(), -lag);
        channels.add(new Channel(name, source, -lag - feature.mean() + 1, -lag, own, null));
      }
    }
    return channels;
  }

  private List<Channel> targetChannels(TargetConfig target, Sources sources) {
    Normalization kind = target.normalize() == null ? config.normalize() : target.normalize();
    List<Channel> channels = new ArrayList<>();
    for (Source source : sources.of(target)) {
      for (int lead : target.lead()) {
        String name = Channel.name(source.name(), lead);
        channels.add(new Channel(name, source, lead, lead, kind, null));
      }
    }
    return channels;
  }

  private void requireUnknownTargets(List<Channel> features, List<Channel> targets) {
    Map<List<Object>, String> names = new LinkedHashMap<>();
    targets.forEach(target -> names.put(origin(target), target.name()));
    GivenAnswers.refuse(
        file.location(),
        features.stream().map(FieldDataset::origin).collect(Collectors.toSet()),
        names);
  }

  private static List<Object> origin(Channel channel) {
    return List.of(channel.source().name(), channel.first(), channel.last());
  }

  private void requireStep(List<Channel> features, List<Channel> targets) {
    List<Channel> all = new ArrayList<>(features);
    all.addAll(targets);
    for (Channel channel : all) {
      if (grid.step() < 0 && (channel.first() != 0 || channel.last() != 0)) {
        throw new IllegalArgumentException(
            channel.name()
                + " needs steps along time, but none of data.samples "
                + config.samples()
                + " has coordinates that are times");
      }
    }
  }

  private List<Channel> withClimatologies(
      List<Channel> channels, Map<Source, Climatology> measured, Map<String, double[]> known) {
    List<Channel> complete = new ArrayList<>();
    for (Channel channel : channels) {
      if (channel.normalization() != Normalization.ANOMALY) {
        complete.add(channel);
        continue;
      }
      double[] saved = known.get(channel.source().name());
      Climatology climatology =
          measured.computeIfAbsent(
              channel.source(),
              source ->
                  saved == null
                      ? Climatology.of(source, grid, seasons, trainingSteps)
                      : new Climatology(seasons, grid.lanes(), grid.cells(), saved));
      complete.add(channel.with(climatology));
    }
    return complete;
  }

  /**
   * Weights have the mean 1 over the targets of the training samples, missing ones counted as 0, so
   * that the mean over all values of weight × loss is the weighted mean, and adds over ranks.
   */
  private void scaleWeights() {
    if (!weighted || targets.isEmpty()) {
      return;
    }
    double sum = 0;
    double[] row = new double[targets.size() * cells()];
    long[] training = split.train();
    boolean anyMissing = config.missing() == Missing.MASK;
    int looked = anyMissing ? training.length : 1;
    for (int i = 0; i < looked; i++) {
      readTargets(point(training[i]), row, 0);
      for (int v = 0; v < row.length; v++) {
        boolean counts = !anyMissing || !Double.isNaN(row[v]);
        sum += counts ? cellWeights[v % cells()] : 0;
      }
    }
    double mean = sum / ((double) looked * row.length);
    if (!(mean > 0)) {
      throw new IllegalArgumentException("the weights of all cells are zero; see data.weights");
    }
    for (int c = 0; c < cellWeights.length; c++) {
      cellWeights[c] /= mean;
    }
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
    return Map.copyOf(units);
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
        readFeature(c, point, featureRows, (i * features.size() + c) * cells);
      }
      readTargets(point, targetRows, i * targets.size() * cells);
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

  Grid grid() {
    return grid;
  }

  Seasons seasons() {
    return seasons;
  }

  List<Channel> targets() {
    return targets;
  }

  boolean[] trainingSteps() {
    return trainingSteps.clone();
  }

  DataConfig config() {
    return config;
  }

  @Override
  public synchronized void close() {
    file.close();
  }
}
