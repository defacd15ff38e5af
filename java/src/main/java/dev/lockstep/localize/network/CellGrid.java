package dev.lockstep.localize.network;

/**
 * Points of the unit square or cube sorted into cells no smaller than a distance, so that a point's
 * neighbours within it lie in its own cell and the adjacent ones. Building it and visiting all
 * pairs takes time linear in the points, for a bounded number of neighbours.
 */
final class CellGrid {
  /** Called with the index of a point that is near. */
  interface Visitor {
    void visit(int point, double distance);
  }

  private final int dimension;
  private final double[] points;
  private final double reach;
  private final int side;
  private final int[] cellStart;
  private final int[] sorted;

  /**
   * Sorts the points.
   *
   * @param points f64[count × dimension], coordinates in [0, 1)
   * @param reach how far a neighbour may be, above 0
   */
  CellGrid(int dimension, double[] points, double reach) {
    this.dimension = dimension;
    this.points = points;
    this.reach = reach;
    int count = points.length / dimension;
    // Not many more cells than points, however short the reach.
    int most = (int) Math.max(1, Math.ceil(Math.pow(count, 1.0 / dimension)));
    side = (int) Math.max(1, Math.min(most, Math.floor(1 / reach)));
    cellStart = new int[Math.toIntExact((long) Math.pow(side, dimension)) + 1];
    sorted = new int[count];
    sort(count);
  }

  private void sort(int count) {
    for (int point = 0; point < count; point++) {
      cellStart[cellOf(points, point) + 1]++;
    }
    for (int cell = 1; cell < cellStart.length; cell++) {
      cellStart[cell] += cellStart[cell - 1];
    }
    int[] next = cellStart.clone();
    for (int point = 0; point < count; point++) {
      sorted[next[cellOf(points, point)]++] = point;
    }
  }

  /**
   * Visits the points within reach of a place, cell by cell.
   *
   * @param places f64[any × dimension] in which the place is row {@code place}
   */
  void visitNear(double[] places, int place, Visitor visitor) {
    int low = dimension == 3 ? Math.max(0, coordinate(places, place, 2) - 1) : 0;
    int high = dimension == 3 ? Math.min(side - 1, coordinate(places, place, 2) + 1) : 0;
    int row = coordinate(places, place, 1);
    int column = coordinate(places, place, 0);
    for (int layer = low; layer <= high; layer++) {
      for (int y = Math.max(0, row - 1); y <= Math.min(side - 1, row + 1); y++) {
        for (int x = Math.max(0, column - 1); x <= Math.min(side - 1, column + 1); x++) {
          visitCell((layer * side + y) * side + x, places, place, visitor);
        }
      }
    }
  }

  private void visitCell(int cell, double[] places, int place, Visitor visitor) {
    for (int at = cellStart[cell]; at < cellStart[cell + 1]; at++) {
      double square = 0;
      for (int axis = 0; axis < dimension; axis++) {
        double difference =
            points[sorted[at] * dimension + axis] - places[place * dimension + axis];
        square += difference * difference;
      }
      if (square <= reach * reach) {
        visitor.visit(sorted[at], Math.sqrt(square));
      }
    }
  }

  private int cellOf(double[] places, int place) {
    int cell = 0;
    for (int axis = dimension - 1; axis >= 0; axis--) {
      cell = cell * side + coordinate(places, place, axis);
    }
    return cell;
  }

  private int coordinate(double[] places, int place, int axis) {
    return Math.min(side - 1, (int) (places[place * dimension + axis] * side));
  }
}
