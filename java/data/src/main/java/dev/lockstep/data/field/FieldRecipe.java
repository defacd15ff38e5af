package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.Bound;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Missing;
import dev.lockstep.data.Normalization;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a model file keeps besides names and units so that a network for fields can be applied to
 * other files. Immutable.
 *
 * @param samples the dimensions that count
 * @param shape {@code data.shape} with all dimensions inside a sample named
 * @param where ranges of coordinates, but not of the dimension of lags and leads
 * @param isel ranges of indices, likewise
 * @param features as configured
 * @param targets one for each output channel
 * @param missing what is done about missing features
 * @param normalize of the features that say nothing else
 * @param ofTime whether seasons are months
 * @param secondsOfDay the times of day that a climatology keeps apart
 * @param climatologies by the key of the source: seasons × lanes × cells as little-endian doubles
 * @param known by the key of a target's source: the lanes × cells that were known in any training
 *     step, as a bit set; nothing for a source that was never missing
 * @param coordinates of each dimension inside a sample or of channels, those of the file; empty
 *     without any
 * @param lengths of the same dimensions
 * @param stepSeconds the mean step along time; NaN without times
 */
@SuppressWarnings("ArrayRecordComponent") // written to and read from model files as they are
public record FieldRecipe(
    List<String> samples,
    List<String> shape,
    Map<String, List<Bound>> where,
    Map<String, List<Integer>> isel,
    List<FeatureConfig> features,
    List<Target> targets,
    Missing missing,
    Normalization normalize,
    boolean ofTime,
    double[] secondsOfDay,
    Map<String, byte[]> climatologies,
    Map<String, byte[]> known,
    Map<String, double[]> coordinates,
    Map<String, Integer> lengths,
    double stepSeconds) {

  /**
   * One output channel.
   *
   * @param source its key, without its lead
   * @param variable of the file that it was trained on
   * @param type of that variable
   * @param attributes of that variable: units and names
   * @param others the dimensions of that variable whose elements are channels
   * @param lead steps ahead
   */
  public record Target(
      String source,
      String variable,
      String type,
      Map<String, String> attributes,
      List<String> others,
      int lead,
      Normalization normalization) {
    /** The name of this channel among several of a variable: with the indices of the others. */
    String column() {
      int indices = source.indexOf('[');
      return others.isEmpty() || indices < 0 ? variable : variable + source.substring(indices);
    }

    /** The same so many steps later. */
    Target ahead(int steps) {
      return steps == 0
          ? this
          : new Target(source, variable, type, attributes, others, lead + steps, normalization);
    }
  }

  /** Relative difference of coordinates that single precision explains. */
  private static final double SAME = 1e-5;

  /** Steps of months differ by a tenth. */
  private static final double SAME_STEP = 0.2;

  /** Copies the lists. */
  public FieldRecipe {
    samples = List.copyOf(samples);
    shape = List.copyOf(shape);
    where = Map.copyOf(where);
    isel = Map.copyOf(isel);
    features = List.copyOf(features);
    targets = List.copyOf(targets);
    climatologies = Map.copyOf(climatologies);
    known = Map.copyOf(known);
    coordinates = Map.copyOf(coordinates);
    lengths = Map.copyOf(lengths);
  }

  /** The same with other output channels. */
  public FieldRecipe withTargets(List<Target> others) {
    return new FieldRecipe(
        samples,
        shape,
        where,
        isel,
        features,
        others,
        missing,
        normalize,
        ofTime,
        secondsOfDay,
        climatologies,
        known,
        coordinates,
        lengths,
        stepSeconds);
  }

  /**
   * The configuration of a data set for predictions from other files.
   *
   * @param path as {@code data.path}
   */
  public DataConfig config(List<String> path, DataConfig.Format format) {
    return new DataConfig(
        path, format, null, features, List.of(), true, 0, 0, samples, shape, where, isel, null,
        missing, null, normalize, List.of());
  }

  Seasons seasons() {
    return new Seasons(ofTime, secondsOfDay);
  }

  Map<String, double[]> climatologyValues() {
    Map<String, double[]> values = new HashMap<>();
    climatologies.forEach(
        (name, bytes) -> {
          double[] all = new double[bytes.length / Double.BYTES];
          ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(all);
          values.put(name, all);
        });
    return values;
  }

  static byte[] bytes(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return bytes.array();
  }

  /**
   * Checks that a file's samples lie on the grid of the training and follow each other as far.
   *
   * @throws IllegalArgumentException naming the dimension that does not
   */
  void requireGrid(String location, Grid grid) {
    Map<String, Axis> axes = new LinkedHashMap<>(grid.others());
    grid.inside().forEach(axis -> axes.put(axis.name(), axis));
    if (!climatologies.isEmpty() || !known.isEmpty()) {
      for (int d = 0; d < grid.samples().size(); d++) {
        if (d != grid.step()) {
          axes.put(grid.samples().get(d).name(), grid.samples().get(d));
        }
      }
    }
    axes.forEach(
        (name, axis) -> {
          Integer length = lengths.get(name);
          if (length == null || length != axis.length()) {
            throw new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "%s: dimension %s has %d elements, but the model was trained on %s",
                    location,
                    name,
                    axis.length(),
                    length == null ? "none of that name" : length));
          }
          requireSame(location, axis, coordinates.getOrDefault(name, new double[0]));
        });
    requireStep(location, grid);
  }

  private static void requireSame(String location, Axis axis, double[] trained) {
    for (int i = 0; i < Math.min(trained.length, axis.values().length); i++) {
      double here = axis.values()[i];
      if (Math.abs(here - trained[i]) > SAME * Math.max(1, Math.abs(trained[i]))) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s: element %d of %s lies at %s, but at %s in the training; bring the file to the"
                    + " grid of the training (order included)",
                location,
                i,
                axis.name(),
                here,
                trained[i]));
      }
    }
  }

  private void requireStep(String location, Grid grid) {
    double here = grid.time().map(Axis::stepSeconds).orElse(Double.NaN);
    if (Math.abs(here - stepSeconds) > SAME_STEP * Math.abs(stepSeconds)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s: times are %.4g days apart, but %.4g in the training; lags and leads count such"
                  + " steps",
              location,
              here / 86_400,
              stepSeconds / 86_400));
    }
  }

  /** What a training on a data set has to tell. */
  static FieldRecipe of(FieldDataset dataset, ArrayFile file) {
    return new RecipeWriter(dataset, file).recipe();
  }

  /** The lanes × cells that were known in training; null if all were. */
  @Nullable BitSet knownCells(Target target) {
    byte[] bits = known.get(target.source());
    return bits == null ? null : BitSet.valueOf(bits);
  }
}
