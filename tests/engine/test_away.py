"""A server that is gone is told from a mistake: only then is a repeat of any use."""

import pymysql
import pytest
import redis

from hisabi_sync.engine.database import retry


@pytest.mark.parametrize(
	"error",
	[
		pymysql.OperationalError(2003, "Can't connect"),
		pymysql.OperationalError(2006, "gone away"),
		pymysql.OperationalError(2013, "Lost connection"),
		pymysql.OperationalError(1040, "Too many connections"),
		pymysql.OperationalError(1053, "Server shutdown in progress"),
		pymysql.InterfaceError(0, ""),
		redis.exceptions.ConnectionError("refused"),
		redis.exceptions.TimeoutError(),
	],
	ids=repr,
)
def test_a_server_that_is_gone(error):
	assert retry.is_away(error)


@pytest.mark.parametrize(
	"error",
	[
		pymysql.OperationalError(1054, "Unknown column"),
		pymysql.OperationalError(1205, "Lock wait timeout"),
		pymysql.ProgrammingError(1064, "syntax"),
		redis.exceptions.ResponseError("WRONGTYPE"),
		ValueError(2013),
		OSError("disk"),
	],
	ids=repr,
)
def test_a_mistake(error):
	assert not retry.is_away(error)
