package dev.lockstep.data.field;

import dev.lockstep.data.CfTime;
import dev.lockstep.data.FeatureConfig.Function;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** A function of the place and the time of a cell. */
final class CoordinateSource implements Source {
  private final String name;
  private final Grid grid;
  private final boolean ofTime;
  private final ToDoubleFunction<Place> function;
  private final int latitude;
  private final int longitude;

  /** Where a cell lies, in degrees, and when. */
  record Place(double latitude, double longitude, CfTime.Date date) {
    double yearFraction() {
      return (date.dayOfYear() - 1 + date.secondOfDay() / 86_400) / date.daysOfYear();
    }
  }

  private static final CfTime.Date NO_DATE = new CfTime.Date(1, 1, 1, 0, 1, 365);

  private CoordinateSource(String name, Grid grid, ToDoubleFunction<Place> function, Need need) {
    this.name = name;
    this.grid = grid;
    this.function = function;
    ofTime = need == Need.TIME || need == Need.TIME_AND_LATITUDE;
    latitude = need == Need.LATITUDE || need == Need.TIME_AND_LATITUDE ? axis(true) : -1;
    longitude = need == Need.LONGITUDE ? axis(false) : -1;
    if (ofTime && grid.time().isEmpty()) {
      throw new IllegalArgumentException(
          name + " needs a dimension of samples whose coordinates are times");
    }
  }

  private enum Need {
    LATITUDE,
    LONGITUDE,
    TIME,
    TIME_AND_LATITUDE
  }

  /**
   * The channels of a function.
   *
   * @throws IllegalArgumentException if the coordinates that it needs are not there
   */
  static List<Source> of(Function function, Grid grid) {
    List<Source> sources = new ArrayList<>();
    switch (function) {
      case COS_LATITUDE ->
          sources.add(
              new CoordinateSource(
                  "cos(latitude)", grid, p -> cosDegrees(p.latitude), Need.LATITUDE));
      case SIN_LATITUDE ->
          sources.add(
              new CoordinateSource(
                  "sin(latitude)", grid, p -> Math.sin(Math.toRadians(p.latitude)), Need.LATITUDE));
      case LONGITUDE -> pair(sources, "longitude", grid, Need.LONGITUDE, p -> p.longitude / 360);
      case DAY_OF_YEAR -> pair(sources, "day_of_year", grid, Need.TIME, Place::yearFraction);
      case HOUR ->
          pair(sources, "hour", grid, Need.TIME, place -> place.date.secondOfDay() / 86_400);
      case INSOLATION ->
          sources.add(
              new CoordinateSource(
                  "insolation",
                  grid,
                  p -> Insolation.dailyMean(p.latitude, p.yearFraction()),
                  Need.TIME_AND_LATITUDE));
      default -> throw new IllegalArgumentException(function + " needs a variable");
    }
    return sources;
  }

  /** Zero, not 6e-17, at the poles, so that weights are never negative. */
  static double cosDegrees(double latitude) {
    return Math.abs(latitude) >= 90 ? 0 : Math.cos(Math.toRadians(latitude));
  }

  private static void pair(
      List<Source> into, String of, Grid grid, Need need, ToDoubleFunction<Place> turns) {
    ToDoubleFunction<Place> angle = place -> 2 * Math.PI * turns.applyAsDouble(place);
    into.add(
        new CoordinateSource("sin(" + of + ")", grid, p -> Math.sin(angle.applyAsDouble(p)), need));
    into.add(
        new CoordinateSource("cos(" + of + ")", grid, p -> Math.cos(angle.applyAsDouble(p)), need));
  }

  private int axis(boolean ofLatitude) {
    List<Axis> axes = grid.axes();
    for (int i = 0; i < axes.size(); i++) {
      if (ofLatitude ? axes.get(i).isLatitude() : axes.get(i).isLongitude()) {
        return i;
      }
    }
    throw new IllegalArgumentException(
        name
            + " needs a dimension with coordinates in "
            + (ofLatitude ? "degrees_north" : "degrees_east")
            + "; the samples have "
            + axes.stream().map(Axis::name).toList());
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean isStatic() {
    return !ofTime && Math.max(latitude, longitude) >= grid.samples().size();
  }

  @Override
  public boolean isOfSteps() {
    return ofTime;
  }

  @Override
  public void read(int step, int lane, double[] out, int at) {
    CfTime.Date date = ofTime ? grid.time().orElseThrow().date(step) : NO_DATE;
    List<Axis> axes = grid.axes();
    int counted = grid.samples().size();
    int[] index = new int[axes.size()];
    int left = lane;
    for (int d = counted - 1; d >= 0; d--) {
      if (d == grid.step()) {
        index[d] = step;
      } else {
        index[d] = left % axes.get(d).length();
        left /= axes.get(d).length();
      }
    }
    int cells = grid.cells();
    for (int cell = 0; cell < cells; cell++) {
      int rest = cell;
      for (int d = axes.size() - 1; d >= counted; d--) {
        index[d] = rest % axes.get(d).length();
        rest /= axes.get(d).length();
      }
      double north = latitude < 0 ? 0 : axes.get(latitude).values()[index[latitude]];
      double east = longitude < 0 ? 0 : axes.get(longitude).values()[index[longitude]];
      out[at + cell] = function.applyAsDouble(new Place(north, east, date));
    }
  }
}
