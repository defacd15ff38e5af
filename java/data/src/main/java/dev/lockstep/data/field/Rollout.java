package dev.lockstep.data.field;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A forecast of several steps from one sample: what was predicted for a step is the input of the
 * next, functions of time go on, and what does not depend on time stays. Not thread-safe.
 */
public final class Rollout {
  private final FieldDataset dataset;
  private final Grid grid;
  private final List<Channel> features = new ArrayList<>();

  /** By source: its place among the model's targets. */
  private final Map<String, Integer> predictedSources = new HashMap<>();

  private final double[] scratch;

  /** By step from the sample's own on: restored outputs, channels × cells. */
  private final List<double[]> predicted = new ArrayList<>();

  private int step;
  private int lane;
  private int ahead;

  /**
   * Checks that the model can go on from what it predicts.
   *
   * @throws IllegalArgumentException naming the target or the feature in the way
   */
  Rollout(FieldDataset dataset, FieldRecipe recipe) {
    this.dataset = dataset;
    grid = dataset.grid();
    scratch = new double[grid.cells()];
    for (int t = 0; t < recipe.targets().size(); t++) {
      FieldRecipe.Target target = recipe.targets().get(t);
      if (target.lead() != 1) {
        throw new IllegalArgumentException(
            "several steps need targets one step ahead, but the model predicts "
                + Channel.name(target.source(), target.lead())
                + "; train with lead: [1]");
      }
      if (predictedSources.put(target.source(), t) != null) {
        throw new IllegalArgumentException(
            "several steps need one number for each target, but the model gives several of "
                + target.source()
                + ", such as quantiles, a standard deviation or classes; leave out --steps");
      }
    }
    for (Channel feature : dataset.features()) {
      Source source = feature.source();
      if (source.isOfSteps()
          && source instanceof VariableSource
          && !predictedSources.containsKey(source.key())) {
        throw new IllegalArgumentException(
            "several steps need each feature that depends on time to be predicted, and "
                + feature.name()
                + " is not: the model predicts "
                + recipe.targets().stream().map(FieldRecipe.Target::source).toList()
                + "; make it a target, too, or leave out --steps");
      }
      features.add(
          new Channel(
              feature.name(),
              new Known(source),
              feature.first(),
              feature.last(),
              feature.normalization(),
              feature.climatology()));
    }
  }

  /** What the file holds up to the sample's step, and what was predicted behind it. */
  private final class Known implements Source {
    private final Source source;

    Known(Source source) {
      this.source = source;
    }

    @Override
    public String name() {
      return source.name();
    }

    @Override
    public String key() {
      return source.key();
    }

    @Override
    public boolean isStatic() {
      return source.isStatic();
    }

    @Override
    public boolean isOfSteps() {
      return source.isOfSteps();
    }

    @Override
    public void read(int at, int ofLane, double[] out, int to) {
      Integer target = predictedSources.get(source.key());
      if (at <= step || target == null) {
        source.read(source.isOfSteps() ? at : 0, ofLane, out, to);
        return;
      }
      int cells = grid.cells();
      System.arraycopy(predicted.get(at - step - 1), target * cells, out, to, cells);
    }
  }

  /** Begins at a sample. */
  public void begin(long sample) {
    long point = dataset.point(sample);
    step = grid.stepOf(point);
    lane = grid.laneOf(point);
    ahead = 0;
    predicted.clear();
  }

  /** Steps that were predicted. */
  public int ahead() {
    return ahead;
  }

  /** The network's input for the next step, channels × cells from {@code at} on. */
  public void read(double[] out, int at) {
    synchronized (dataset) {
      for (int c = 0; c < features.size(); c++) {
        int from = at + c * grid.cells();
        features.get(c).read(grid, step + ahead, lane, out, from, scratch);
        dataset.requireKnown(features.get(c), step + ahead, out, from);
      }
    }
  }

  /**
   * Takes what was predicted for the next step.
   *
   * @param restored in the variables' own numbers, channels × cells from {@code at} on
   */
  public void advance(double[] restored, int at) {
    double[] own = new double[predictedSources.size() * grid.cells()];
    System.arraycopy(restored, at, own, 0, own.length);
    predicted.add(own);
    ahead++;
  }
}
