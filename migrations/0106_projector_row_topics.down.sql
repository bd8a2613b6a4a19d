DROP TABLE projector.row_publishers;
DROP TABLE projector.row_topics;
