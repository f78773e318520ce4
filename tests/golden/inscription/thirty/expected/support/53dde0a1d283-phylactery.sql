-- Run once, by the database's image, when the data directory is new.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE DATABASE phoenix;
\connect phoenix
CREATE EXTENSION IF NOT EXISTS vector;
