package dev.lockstep.data.field;

import dev.lockstep.data.DataConfig;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.FeatureConfig.Function;
import dev.lockstep.data.GivenAnswers;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.TargetConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The channels that a configuration asks for, in order. */
final class Channels {
  private final String location;
  private final DataConfig config;
  private final Grid grid;
  private final @Nullable Map<String, double[]> known;
  private List<Channel> features = new ArrayList<>();
  private List<Channel> targets = new ArrayList<>();
  private final List<String> targetVariables = new ArrayList<>();

  /**
   * Finds them, without climatologies.
   *
   * @param location of the file, for messages
   * @param known for a prediction the climatologies of the training, by the name of the source;
   *     null to measure them
   * @throws IllegalArgumentException if the file does not have what the configuration asks for
   */
  Channels(
      String location, DataConfig config, Sources sources, @Nullable Map<String, double[]> known) {
    this.location = location;
    this.config = config;
    this.known = known;
    grid = sources.grid();
    config.features().forEach(f -> features.addAll(featureChannels(f, sources)));
    for (TargetConfig target : config.targets()) {
      List<Channel> channels = targetChannels(target, sources);
      targets.addAll(channels);
      channels.forEach(channel -> targetVariables.add(target.variable()));
    }
    requireStep();
    requireUnknownTargets();
  }

  List<Channel> features() {
    return features;
  }

  List<Channel> targets() {
    return targets;
  }

  /** The variable of each target. */
  List<String> targetVariables() {
    return targetVariables;
  }

  /** Gives those that need one their climatology: the training's, or one that is measured. */
  void addClimatologies(Seasons seasons, TrainingPoints training) {
    Map<Source, Climatology> found = new HashMap<>();
    features = withClimatologies(features, found, seasons, training);
    targets = withClimatologies(targets, found, seasons, training);
  }

  private List<Channel> featureChannels(FeatureConfig feature, Sources sources) {
    Normalization kind =
        feature.normalize() != null
            ? feature.normalize()
            : feature.function() == Function.VALUE ? config.normalize() : Normalization.NONE;
    List<Channel> channels = new ArrayList<>();
    List<? extends Source> found = sources.of(feature);
    for (Source source : found) {
      if (kind == Normalization.ANOMALY) {
        requireAsTrained(source);
      }
      // What does not change with time has no season: its deviation would be 0 everywhere.
      Normalization own =
          !source.isOfSteps() && kind == Normalization.ANOMALY ? Normalization.MEAN_STD : kind;
      for (int lag : feature.lags()) {
        String name = Channel.name(name(feature, source, found.size()), -lag);
        channels.add(new Channel(name, source, -lag - feature.mean() + 1, -lag, own, null));
      }
    }
    return channels;
  }

  /** A source has a climatology exactly if it changed with time in the training. */
  private void requireAsTrained(Source source) {
    if (known == null || known.containsKey(source.key()) == source.isOfSteps()) {
      return;
    }
    throw new IllegalArgumentException(
        location
            + ": "
            + source.name()
            + (source.isOfSteps()
                ? " changes with "
                    + step()
                    + ", but the model has no climatology of it, for in the training it did not:"
                    + " bring a file in which it has no such dimension"
                : " is the same at all steps, but the model takes its deviation from a climatology"
                    + " of the training: bring a file in which it has the dimension "
                    + step()));
  }

  private String step() {
    return grid.step() < 0 ? "of time" : grid.samples().get(grid.step()).name();
  }

  /** The feature's own name where it is one channel a lag. */
  private static String name(FeatureConfig feature, Source source, int sources) {
    if (sources == 1) {
      return feature.name();
    }
    return feature.mean() == 1
        ? source.name()
        : "mean" + feature.mean() + "(" + source.name() + ")";
  }

  private List<Channel> targetChannels(TargetConfig target, Sources sources) {
    Normalization kind = target.normalize() == null ? config.normalize() : target.normalize();
    kind = target.classes().isEmpty() ? kind : Normalization.NONE;
    List<Channel> channels = new ArrayList<>();
    for (Source source : sources.of(target)) {
      if (kind == Normalization.ANOMALY && !source.isOfSteps()) {
        throw new IllegalArgumentException(
            location
                + ": normalize: anomaly of "
                + source.name()
                + " would be 0 everywhere, as it does not change with time; set normalize:"
                + " mean_std of this target");
      }
      for (int lead : target.lead()) {
        String name = Channel.name(source.name(), lead);
        channels.add(new Channel(name, source, lead, lead, kind, null));
      }
    }
    return channels;
  }

  private void requireUnknownTargets() {
    Map<List<Object>, String> names = new LinkedHashMap<>();
    targets.forEach(target -> names.put(origin(target), target.name()));
    GivenAnswers.refuse(
        location, features.stream().map(Channels::origin).collect(Collectors.toSet()), names);
  }

  private static List<Object> origin(Channel channel) {
    return List.of(channel.source().name(), channel.first(), channel.last());
  }

  private void requireStep() {
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
      List<Channel> channels,
      Map<Source, Climatology> found,
      Seasons seasons,
      TrainingPoints training) {
    List<Channel> complete = new ArrayList<>();
    for (Channel channel : channels) {
      if (channel.normalization() != Normalization.ANOMALY) {
        complete.add(channel);
        continue;
      }
      complete.add(
          channel.with(
              found.computeIfAbsent(
                  channel.source(), source -> climatology(source, seasons, training))));
    }
    return complete;
  }

  private Climatology climatology(Source source, Seasons seasons, TrainingPoints training) {
    if (known == null) {
      return Climatology.of(source, grid, seasons, training);
    }
    double[] saved = Objects.requireNonNull(known.get(source.key()), source.name());
    return new Climatology(seasons, grid.lanes(), grid.cells(), saved);
  }
}
